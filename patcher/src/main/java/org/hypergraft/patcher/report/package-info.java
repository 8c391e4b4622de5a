/** What a person and what a program gets to read: results as aligned text and as JSON. */
package org.hypergraft.patcher.report;
