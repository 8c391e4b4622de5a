/** The command line: one class per command, exit statuses, and nothing that others import. */
package org.hypergraft.patcher.cli;
