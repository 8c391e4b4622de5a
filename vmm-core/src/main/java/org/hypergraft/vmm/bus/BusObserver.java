package org.hypergraft.vmm.bus;

/** Told of every access that leaves the processor for a device, before the device sees it. */
public interface BusObserver {
  /** Ignores everything. */
  BusObserver NONE =
      new BusObserver() {
        @Override
        public void port(int port, int size, boolean write) {}

        @Override
        public void mmio(long gpa, int size, boolean write) {}
      };

  void port(int port, int size, boolean write);

  void mmio(long gpa, int size, boolean write);
}
