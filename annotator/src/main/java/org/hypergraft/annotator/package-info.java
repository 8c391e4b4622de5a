/**
 * What the guest is: image formats, annotation tables, the x86 decoder and hypervisor ABI facts.
 */
package org.hypergraft.annotator;
