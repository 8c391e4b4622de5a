package org.hypergraft.vmm.cpu.interpret;

import org.hypergraft.vmm.cpu.Cpu;

/** Templates whose operands are registers and immediates. */
final class RegisterTemplates {
  private RegisterTemplates() {}

  /** d = s. */
  static final class Move extends Op {
    @Override
    public Op exec(Cpu c) {
      long[] r = c.r;
      Hole.put(r, d, Hole.getS(r, s));
      return next;
    }

    @Override
    protected Op fresh() {
      return new Move();
    }
  }

  /** d = imm. */
  static final class MoveImm extends Op {
    @Override
    public Op exec(Cpu c) {
      Hole.put(c.r, d, imm);
      return next;
    }

    @Override
    protected Op fresh() {
      return new MoveImm();
    }
  }

  /** d = f(s). */
  static final class R extends Op {
    @Override
    public Op exec(Cpu c) {
      long[] r = c.r;
      Hole.put(r, d, Hole.unary(c, Hole.getS(r, s)));
      return next;
    }

    @Override
    protected Op fresh() {
      return new R();
    }
  }

  /** d = f(s, t). */
  static final class RR extends Op {
    @Override
    public Op exec(Cpu c) {
      long[] r = c.r;
      Hole.put(r, d, Hole.binary(c, Hole.getS(r, s), Hole.getT(r, t)));
      return next;
    }

    @Override
    protected Op fresh() {
      return new RR();
    }
  }

  /** d = f(s, imm). */
  static final class RI extends Op {
    @Override
    public Op exec(Cpu c) {
      long[] r = c.r;
      Hole.put(r, d, Hole.binary(c, Hole.getS(r, s), imm));
      return next;
    }

    @Override
    protected Op fresh() {
      return new RI();
    }
  }

  /** f(s, t), flags only. */
  static final class CompareRR extends Op {
    @Override
    public Op exec(Cpu c) {
      long[] r = c.r;
      Hole.compare(c, Hole.getS(r, s), Hole.getT(r, t));
      return next;
    }

    @Override
    protected Op fresh() {
      return new CompareRR();
    }
  }

  /** f(s, imm), flags only. */
  static final class CompareRI extends Op {
    @Override
    public Op exec(Cpu c) {
      Hole.compare(c, Hole.getS(c.r, s), imm);
      return next;
    }

    @Override
    protected Op fresh() {
      return new CompareRI();
    }
  }

  /** f(s), which writes fixed registers. */
  static final class EffectR extends Op {
    @Override
    public Op exec(Cpu c) {
      Hole.effect(c, Hole.getS(c.r, s));
      return next;
    }

    @Override
    protected Op fresh() {
      return new EffectR();
    }
  }

  /** d = f(s, t, imm). */
  static final class TernaryRRI extends Op {
    @Override
    public Op exec(Cpu c) {
      long[] r = c.r;
      Hole.put(r, d, Hole.ternary(c, Hole.getS(r, s), Hole.getT(r, t), imm));
      return next;
    }

    @Override
    protected Op fresh() {
      return new TernaryRRI();
    }
  }

  /** d = f(s, t, CL). */
  static final class TernaryRRC extends Op {
    @Override
    public Op exec(Cpu c) {
      long[] r = c.r;
      Hole.put(r, d, Hole.ternary(c, Hole.getS(r, s), Hole.getT(r, t), r[Cpu.RCX]));
      return next;
    }

    @Override
    protected Op fresh() {
      return new TernaryRRC();
    }
  }

  /** d = condition ? 1 : 0. */
  static final class SetR extends Op {
    @Override
    public Op exec(Cpu c) {
      Hole.put(c.r, d, Hole.test(c) ? 1 : 0);
      return next;
    }

    @Override
    protected Op fresh() {
      return new SetR();
    }
  }

  /** d = condition ? t : s. */
  static final class MoveIfR extends Op {
    @Override
    public Op exec(Cpu c) {
      long[] r = c.r;
      Hole.put(r, d, Hole.test(c) ? Hole.getT(r, t) : Hole.getS(r, s));
      return next;
    }

    @Override
    protected Op fresh() {
      return new MoveIfR();
    }
  }

  /** Pushes s. */
  static final class PushR extends Op {
    @Override
    public Op exec(Cpu c) {
      Hole.push(c, Hole.getS(c.r, s));
      return next;
    }

    @Override
    protected Op fresh() {
      return new PushR();
    }
  }

  /** Pushes imm. */
  static final class PushImm extends Op {
    @Override
    public Op exec(Cpu c) {
      Hole.push(c, imm);
      return next;
    }

    @Override
    protected Op fresh() {
      return new PushImm();
    }
  }

  /** Pops into d. */
  static final class PopR extends Op {
    @Override
    public Op exec(Cpu c) {
      long v = Hole.pop(c);
      Hole.put(c.r, d, v);
      return next;
    }

    @Override
    protected Op fresh() {
      return new PopR();
    }
  }

  /** d = effective address. */
  static final class Lea extends Op {
    @Override
    public Op exec(Cpu c) {
      Hole.put(c.r, d, Hole.address(c, this));
      return next;
    }

    @Override
    protected Op fresh() {
      return new Lea();
    }
  }

  /** Nothing at all. */
  static final class Nothing extends Op {
    @Override
    public Op exec(Cpu c) {
      return next;
    }

    @Override
    protected Op fresh() {
      return new Nothing();
    }
  }

  /** A static method of another class does the work. */
  static final class Call extends Op {
    @Override
    public Op exec(Cpu c) {
      Hole.call(c, this);
      return next;
    }

    @Override
    protected Op fresh() {
      return new Call();
    }
  }

  /** As Call, but the method decides whether the block goes on. */
  static final class CallOrLeave extends Op {
    @Override
    public Op exec(Cpu c) {
      if (Hole.decide(c, this)) {
        return next;
      }
      return left(c);
    }

    @Override
    protected Op fresh() {
      return new CallOrLeave();
    }
  }

  /** As Call, but when the method is not done the instruction retires and comes again. */
  static final class CallOrRepeat extends Op {
    @Override
    public Op exec(Cpu c) {
      if (Hole.decide(c, this)) {
        return next;
      }
      return repeated(c);
    }

    @Override
    protected Op fresh() {
      return new CallOrRepeat();
    }
  }
}
