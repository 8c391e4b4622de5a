package org.hypergraft.vmm.cpu.model;

/**
 * One model-specific register as data.
 *
 * @param number as in ECX
 * @param name as in the manuals
 * @param reset value at power-on
 * @param writable bits a write changes
 * @param rule what happens to the other bits of a written value
 */
public record MsrRow(int number, String name, long reset, long writable, Rule rule) {
  /** Access rules. */
  public enum Rule {
    /** Writing a one outside {@link MsrRow#writable} is #GP. */
    STRICT,
    /** Bits outside {@link MsrRow#writable} keep their value. */
    LENIENT,
    /** Any write is #GP. */
    READ_ONLY,
    /** A command: reads are #GP, writes within {@link MsrRow#writable} do nothing more. */
    WRITE_ONLY
  }

  static MsrRow readOnly(int number, String name, long value) {
    return new MsrRow(number, name, value, 0, Rule.READ_ONLY);
  }

  /** Fixed value, writes accepted and dropped. */
  static MsrRow constant(int number, String name, long value) {
    return new MsrRow(number, name, value, 0, Rule.LENIENT);
  }

  /** All 64 bits readable and writable. */
  static MsrRow stored(int number, String name, long reset) {
    return new MsrRow(number, name, reset, -1, Rule.STRICT);
  }

  static MsrRow strict(int number, String name, long reset, long writable) {
    return new MsrRow(number, name, reset, writable, Rule.STRICT);
  }

  static MsrRow command(int number, String name, long writable) {
    return new MsrRow(number, name, 0, writable, Rule.WRITE_ONLY);
  }
}
