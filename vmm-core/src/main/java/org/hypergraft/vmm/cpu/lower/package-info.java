/** From decoded instructions to ops. Never parses instruction bytes. */
package org.hypergraft.vmm.cpu.lower;
