/** Hypervisor and CPU interface facts as data, each with its source; no behaviour. */
package org.hypergraft.annotator.abi;
