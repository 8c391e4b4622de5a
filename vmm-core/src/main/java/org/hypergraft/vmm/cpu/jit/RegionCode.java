package org.hypergraft.vmm.cpu.jit;

import java.lang.invoke.MethodHandles;

/** Turns a shape into an instance of a freshly defined class. Runs on any thread. */
final class RegionCode {
  /**
   * HotSpot never compiles a method of more than 8,000 bytecodes (DontCompileHugeMethods): beyond
   * that a region runs 17 times slower or worse.
   */
  static final int MAX_BYTECODE = 7_500;

  private static final MethodHandles.Lookup LOOKUP = MethodHandles.lookup();

  private RegionCode() {}

  /**
   * A region's class.
   *
   * @param classFile null when the method is too large
   * @param exitAddresses the exits its code numbers
   * @param methodSize bytecode size of the method, at most
   */
  @SuppressWarnings("ArrayRecordComponent") // handed over, not kept
  record Compiled(byte[] classFile, long[] exitAddresses, int methodSize) {
    /** Whether the method is one that HotSpot compiles. */
    boolean fits() {
      return classFile != null;
    }
  }

  /** Compiles; the result may turn out too large to be of use. */
  static Compiled compile(RegionShape shape) {
    RegionCompiler compiler = new RegionCompiler(shape);
    byte[] classFile = compiler.compile(MAX_BYTECODE);
    return new Compiled(classFile, compiler.exitAddresses(), compiler.methodSize());
  }

  static Region define(Compiled code) {
    try {
      Class<?> c = LOOKUP.defineHiddenClass(code.classFile(), true).lookupClass();
      return (Region) c.getDeclaredConstructor().newInstance();
    } catch (ReflectiveOperationException e) {
      throw new LinkageError("generated region does not link", e);
    }
  }
}
