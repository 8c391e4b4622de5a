/**
 * The machine's devices, one per file, behind the interfaces of {@link org.hypergraft.vmm.bus}.
 * Register layouts follow the data sheets named in each class. Only what a kernel can observe is
 * modelled; time always comes from the machine's virtual clock.
 */
package org.hypergraft.vmm.device;
