/**
 * Ways to see inside a run: traces, a stop at an address, a profile of functions, two machines in
 * lock-step. Each is an {@link org.hypergraft.vmm.machine.Observer} or uses one.
 */
package org.hypergraft.vmm.observe;
