package org.hypergraft.vmm.device;

import org.hypergraft.vmm.bus.PortDevice;

/**
 * The ways to reset a PC: the chipset's reset control register 0xcf9, the pulse command of the
 * keyboard controller at 0x64, and bit 0 of the fast A20 port 0x92. No keyboard controller is there
 * otherwise: its status reads as all ones.
 */
public final class ResetControl implements PortDevice {
  /** Reset control register of Intel chipsets; also the ACPI reset register. */
  public static final int RESET_PORT = 0xcf9;

  /** Written there: hard reset of the processor. */
  public static final int RESET_VALUE = 0x06;

  /** Command port of the keyboard controller. */
  public static final int KEYBOARD_PORT = 0x64;

  /** Fast A20 gate and reset. */
  public static final int FAST_A20_PORT = 0x92;

  private static final int RESET_CPU = 1 << 2;
  private static final int PULSE_RESET_LINE = 0xfe;

  private final Runnable reset;
  private int control;
  private int a20 = 2;

  public ResetControl(Runnable reset) {
    this.reset = reset;
  }

  @Override
  public int in(int port, int size) {
    switch (port) {
      case RESET_PORT:
        return control;
      case FAST_A20_PORT:
        return a20;
      default:
        return 0xff;
    }
  }

  @Override
  public void out(int port, int size, int value) {
    switch (port) {
      case RESET_PORT:
        control = value & ~RESET_CPU;
        if ((value & RESET_CPU) != 0) {
          reset.run();
        }
        break;
      case FAST_A20_PORT:
        a20 = value & 2;
        if ((value & 1) != 0) {
          reset.run();
        }
        break;
      default:
        if (value == PULSE_RESET_LINE) {
          reset.run();
        }
        break;
    }
  }
}
