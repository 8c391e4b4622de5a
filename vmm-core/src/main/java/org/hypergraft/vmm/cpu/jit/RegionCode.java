package org.hypergraft.vmm.cpu.jit;

import java.lang.invoke.MethodHandles;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.MethodTooLargeException;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.commons.CodeSizeEvaluator;

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
   * @param classFile null when the method is beyond what a class file can hold
   * @param exitAddresses the exits its code numbers
   * @param methodSize bytecode size of the method, at most
   */
  @SuppressWarnings("ArrayRecordComponent") // handed over, not kept
  record Compiled(byte[] classFile, long[] exitAddresses, int methodSize) {
    /** Whether HotSpot compiles the method. */
    boolean fits() {
      return classFile != null && methodSize <= MAX_BYTECODE;
    }
  }

  /** Compiles; the result may turn out too large to be of use. */
  static Compiled compile(RegionShape shape) {
    RegionCompiler compiler = new RegionCompiler(shape);
    try {
      byte[] bytes = compiler.compile();
      return new Compiled(bytes, compiler.exitAddresses(), methodSize(bytes));
    } catch (MethodTooLargeException e) {
      return new Compiled(null, compiler.exitAddresses(), e.getCodeSize());
    }
  }

  static Region define(Compiled code) {
    try {
      Class<?> c = LOOKUP.defineHiddenClass(code.classFile(), true).lookupClass();
      return (Region) c.getDeclaredConstructor().newInstance();
    } catch (ReflectiveOperationException e) {
      throw new LinkageError("generated region does not link", e);
    }
  }

  /** Upper bound of the bytecode size of {@code exec}. */
  static int methodSize(byte[] classFile) {
    int[] size = new int[1];
    new ClassReader(classFile)
        .accept(
            new ClassVisitor(Opcodes.ASM9) {
              @Override
              public MethodVisitor visitMethod(
                  int access, String name, String desc, String signature, String[] exceptions) {
                if (!name.equals("exec")) {
                  return null;
                }
                return new CodeSizeEvaluator(null) {
                  @Override
                  public void visitEnd() {
                    size[0] = getMaxSize();
                  }
                };
              }
            },
            ClassReader.SKIP_DEBUG | ClassReader.SKIP_FRAMES);
    return size[0];
  }
}
