package org.hypergraft.vmm.machine;

/**
 * CPU time of the process by what it was spent on, s; all zero where the host does not tell. Time
 * of threads that have ended is missing.
 *
 * @param start everything before the run: the JVM's start, reading and loading the image
 * @param guest the thread that runs the guest, while it did
 * @param regions the thread that translates hot regions to bytecode
 * @param compilers the JVM's compilers, from the start of the process
 * @param collector the JVM's garbage collection and other operations, from the start of the process
 */
public record CpuSplit(
    double start, double guest, double regions, double compilers, double collector) {}
