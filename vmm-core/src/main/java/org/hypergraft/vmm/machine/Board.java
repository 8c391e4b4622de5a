package org.hypergraft.vmm.machine;

import java.util.function.IntConsumer;
import java.util.function.LongSupplier;
import org.hypergraft.vmm.bus.CpuPins;
import org.hypergraft.vmm.bus.DeterministicClock;
import org.hypergraft.vmm.bus.InterruptLine;
import org.hypergraft.vmm.bus.MmioSpace;
import org.hypergraft.vmm.bus.PortSpace;
import org.hypergraft.vmm.device.AcpiPm;
import org.hypergraft.vmm.device.ApicBus;
import org.hypergraft.vmm.device.Cmos;
import org.hypergraft.vmm.device.IoApic;
import org.hypergraft.vmm.device.LocalApic;
import org.hypergraft.vmm.device.NoPci;
import org.hypergraft.vmm.device.Pic8259;
import org.hypergraft.vmm.device.Pit8254;
import org.hypergraft.vmm.device.PostPort;
import org.hypergraft.vmm.device.ResetControl;
import org.hypergraft.vmm.device.SystemControl;
import org.hypergraft.vmm.device.Uart16550;

/**
 * The main board: all devices and the wires between them. There is no PCI, which a kernel finds out
 * in a few accesses to its configuration ports.
 */
final class Board {
  private static final int SERIAL_BASE = 0x3f8;
  private static final int SERIAL_IRQ = 4;

  final DeterministicClock clock;
  final PortSpace ports;
  final MmioSpace mmio = new MmioSpace();
  final Pic8259 pic;
  final ApicBus apicBus = new ApicBus();
  final IoApic ioApic;
  final Uart16550 serial;

  /**
   * @param clock the machine's
   * @param console gets what the serial port sends
   * @param powerOff runs when the guest enters soft-off
   * @param reset runs when the guest resets the machine
   */
  Board(DeterministicClock clock, IntConsumer console, Runnable powerOff, Runnable reset) {
    this.clock = clock;
    ports = new PortSpace(clock);
    // INTR is sampled through the local APIC, so the wire needs no action of its own.
    pic = new Pic8259(asserted -> {});
    ioApic = new IoApic(apicBus, 0);
    serial = new Uart16550(SERIAL_BASE, console, isa(SERIAL_IRQ));
    Pit8254 pit = new Pit8254(clock, isa(0));
    ports.claim("pic", 0x20, 2, 1, pic.masterPorts());
    ports.claim("pic", 0xa0, 2, 1, pic.slavePorts());
    ports.claim("pic", 0x4d0, 2, 1, pic.triggerPorts());
    ports.claim("pit", Pit8254.BASE, 4, 1, pit);
    ports.claim("port61", SystemControl.PORT, 1, 1, new SystemControl(pit, clock));
    ports.claim("rtc", Cmos.BASE, 2, 1, new Cmos(clock));
    ports.claim("post", PostPort.PORT, 1, 1, new PostPort());
    ports.claim("serial", SERIAL_BASE, Uart16550.PORTS, 1, serial);
    ports.claim("acpi", AcpiPm.BASE, AcpiPm.PORTS, 4, new AcpiPm(clock, isa(AcpiPm.SCI), powerOff));
    ports.claim("pci", NoPci.ADDRESS_PORT, 1, 4, new NoPci());
    ResetControl resetControl = new ResetControl(reset);
    ports.claim("reset", ResetControl.RESET_PORT, 1, 1, resetControl);
    ports.claim("reset", ResetControl.KEYBOARD_PORT, 1, 1, resetControl);
    ports.claim("reset", ResetControl.FAST_A20_PORT, 1, 1, resetControl);
    mmio.claim("ioapic", IoApic.BASE, IoApic.LENGTH, ioApic);
    mmio.claim("apic", LocalApic.BASE, LocalApic.LENGTH, apicBus);
  }

  /** Adds a processor's local APIC. */
  LocalApic addProcessor(int apicId, CpuPins pins, LongSupplier tscAdjust) {
    return new LocalApic(apicBus, clock, apicId, pins, pic, tscAdjust);
  }

  /** An ISA interrupt reaches both controllers; the guest masks it in one of them. */
  private InterruptLine isa(int irq) {
    int pin = irq == 0 ? IoApic.TIMER_PIN : irq;
    return asserted -> {
      pic.set(irq, asserted);
      ioApic.set(pin, asserted);
    };
  }
}
