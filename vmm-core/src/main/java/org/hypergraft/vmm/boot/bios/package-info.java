/**
 * The firmware that real-mode code calls: interrupt vectors whose stubs trap to services written in
 * Java. Only what boot loaders, setup code and small stand-alone programs ask for is there.
 */
package org.hypergraft.vmm.boot.bios;
