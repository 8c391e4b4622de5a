/** Processor models as data: features, CPUID leaves and model-specific registers. */
package org.hypergraft.vmm.cpu.model;
