/**
 * Instruction semantics compared with an outside oracle: the host's own processor, in user mode.
 *
 * <p>A {@link org.hypergraft.vmm.conformance.TestCase} is a few instruction bytes and a {@link
 * org.hypergraft.vmm.conformance.MachineState}. {@link org.hypergraft.vmm.conformance.HostCpu} runs
 * cases in a child process, an {@link org.hypergraft.vmm.conformance.EngineUnderTest} runs them
 * here, and {@link org.hypergraft.vmm.conformance.Comparison} says where they differ.
 */
package org.hypergraft.vmm.conformance;
