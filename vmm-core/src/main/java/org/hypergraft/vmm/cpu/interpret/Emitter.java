package org.hypergraft.vmm.cpu.interpret;

import org.hypergraft.annotator.isa.Insn;

/**
 * Where a {@link Lowering} puts ops. Every method appends one op to the block being built, with all
 * operand fields already filled from the instruction:
 *
 * <ul>
 *   <li>{@link Op#d}, {@link Op#s}, {@link Op#t}: numbers of the register operands in operand order
 *       (any register class; memory and immediates are left out);
 *   <li>{@link Op#b} ... {@link Op#disp}: the memory operand, RIP-relative resolved;
 *   <li>{@link Op#imm}: the immediate, branch target or far offset; {@link Op#size}: operand size.
 * </ul>
 *
 * <p>The static methods named are {@code public static void m(Cpu c, Op op)} in a public class.
 * They may throw {@link org.hypergraft.vmm.mmu.GuestFault} before they change any state.
 */
public interface Emitter {
  /** The instruction being lowered. */
  Insn insn();

  /** Mode key of the block, see {@link org.hypergraft.vmm.cpu.Cpu#modeKey}. */
  int modeKey();

  /** An op that runs {@code void owner.method(Cpu, Op)} and continues with the next instruction. */
  Op call(Class<?> owner, String method);

  /**
   * An op that runs {@code boolean owner.method(Cpu, Op)}; the block continues when it returns
   * true. On false it leaves to the run loop; {@code c.rip} is then the next instruction.
   */
  Op callOrLeave(Class<?> owner, String method);

  /**
   * An op that ends the block: the clock is exact while {@code void owner.method(Cpu, Op)} runs,
   * and {@code c.rip} has been set to the next instruction beforehand, for the method to change.
   * The run loop then looks at interrupts, HLT and mode changes. For control transfers, privileged
   * state, port I/O and whatever reads the time.
   */
  Op leave(Class<?> owner, String method);

  /**
   * The general form, for ops that name a template.
   *
   * @param access register and memory access as packed by {@link Access}; the address form is added
   */
  Op emit(Template template, Target target, int access);

  /** An op that raises #UD. */
  Op undefined();
}
