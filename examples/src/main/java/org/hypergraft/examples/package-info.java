/** Programs that use the toolchain as a library, and the measurements behind its figures. */
package org.hypergraft.examples;
