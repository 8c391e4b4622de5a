/** What to change: plan, rewrite, verify, diff, validate, report and the command line. */
package org.hypergraft.patcher;
