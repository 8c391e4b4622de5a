package org.hypergraft.vmm.cpu.interpret;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.mmu.Mmu;

/** Templates with a memory operand. */
final class MemoryTemplates {
  private MemoryTemplates() {}

  /** d = mem. */
  static final class Load extends Op {
    @Override
    public Op exec(Cpu c) {
      long v = Hole.load(c.mmu, Hole.address(c, this));
      Hole.put(c.r, d, v);
      return next;
    }

    @Override
    protected Op fresh() {
      return new Load();
    }
  }

  /** mem = s. */
  static final class Store extends Op {
    @Override
    public Op exec(Cpu c) {
      Hole.store(c.mmu, Hole.address(c, this), Hole.getS(c.r, s));
      return next;
    }

    @Override
    protected Op fresh() {
      return new Store();
    }
  }

  /** mem = imm. */
  static final class StoreImm extends Op {
    @Override
    public Op exec(Cpu c) {
      Hole.store(c.mmu, Hole.address(c, this), imm);
      return next;
    }

    @Override
    protected Op fresh() {
      return new StoreImm();
    }
  }

  /** d = f(mem). */
  static final class M extends Op {
    @Override
    public Op exec(Cpu c) {
      long v = Hole.load(c.mmu, Hole.address(c, this));
      Hole.put(c.r, d, Hole.unary(c, v));
      return next;
    }

    @Override
    protected Op fresh() {
      return new M();
    }
  }

  /** d = f(s, mem). */
  static final class RM extends Op {
    @Override
    public Op exec(Cpu c) {
      long v = Hole.load(c.mmu, Hole.address(c, this));
      long[] r = c.r;
      Hole.put(r, d, Hole.binary(c, Hole.getS(r, s), v));
      return next;
    }

    @Override
    protected Op fresh() {
      return new RM();
    }
  }

  /** d = f(mem, t). */
  static final class MR extends Op {
    @Override
    public Op exec(Cpu c) {
      long v = Hole.load(c.mmu, Hole.address(c, this));
      long[] r = c.r;
      Hole.put(r, d, Hole.binary(c, v, Hole.getT(r, t)));
      return next;
    }

    @Override
    protected Op fresh() {
      return new MR();
    }
  }

  /** d = f(mem, imm). */
  static final class MI extends Op {
    @Override
    public Op exec(Cpu c) {
      long v = Hole.load(c.mmu, Hole.address(c, this));
      Hole.put(c.r, d, Hole.binary(c, v, imm));
      return next;
    }

    @Override
    protected Op fresh() {
      return new MI();
    }
  }

  /** f(s, mem), flags only. */
  static final class CompareRM extends Op {
    @Override
    public Op exec(Cpu c) {
      long v = Hole.load(c.mmu, Hole.address(c, this));
      Hole.compare(c, Hole.getS(c.r, s), v);
      return next;
    }

    @Override
    protected Op fresh() {
      return new CompareRM();
    }
  }

  /** f(mem, t), flags only. */
  static final class CompareMR extends Op {
    @Override
    public Op exec(Cpu c) {
      long v = Hole.load(c.mmu, Hole.address(c, this));
      Hole.compare(c, v, Hole.getT(c.r, t));
      return next;
    }

    @Override
    protected Op fresh() {
      return new CompareMR();
    }
  }

  /** f(mem, imm), flags only. */
  static final class CompareMI extends Op {
    @Override
    public Op exec(Cpu c) {
      long v = Hole.load(c.mmu, Hole.address(c, this));
      Hole.compare(c, v, imm);
      return next;
    }

    @Override
    protected Op fresh() {
      return new CompareMI();
    }
  }

  /** f(mem), which writes fixed registers. */
  static final class EffectM extends Op {
    @Override
    public Op exec(Cpu c) {
      long v = Hole.load(c.mmu, Hole.address(c, this));
      Hole.effect(c, v);
      return next;
    }

    @Override
    protected Op fresh() {
      return new EffectM();
    }
  }

  /** mem = f(mem). */
  static final class UpdateM extends Op {
    @Override
    public Op exec(Cpu c) {
      Mmu m = c.mmu;
      long la = Hole.address(c, this);
      long v = Hole.loadForUpdate(m, la);
      Hole.store(m, la, Hole.unary(c, v));
      return next;
    }

    @Override
    protected Op fresh() {
      return new UpdateM();
    }
  }

  /** mem = f(mem, t). */
  static final class UpdateMR extends Op {
    @Override
    public Op exec(Cpu c) {
      Mmu m = c.mmu;
      long la = Hole.address(c, this);
      long v = Hole.loadForUpdate(m, la);
      Hole.store(m, la, Hole.binary(c, v, Hole.getT(c.r, t)));
      return next;
    }

    @Override
    protected Op fresh() {
      return new UpdateMR();
    }
  }

  /** mem = f(mem, imm). */
  static final class UpdateMI extends Op {
    @Override
    public Op exec(Cpu c) {
      Mmu m = c.mmu;
      long la = Hole.address(c, this);
      long v = Hole.loadForUpdate(m, la);
      Hole.store(m, la, Hole.binary(c, v, imm));
      return next;
    }

    @Override
    protected Op fresh() {
      return new UpdateMI();
    }
  }

  /** mem = f(mem, t, imm). */
  static final class TernaryMRI extends Op {
    @Override
    public Op exec(Cpu c) {
      Mmu m = c.mmu;
      long la = Hole.address(c, this);
      long v = Hole.loadForUpdate(m, la);
      Hole.store(m, la, Hole.ternary(c, v, Hole.getT(c.r, t), imm));
      return next;
    }

    @Override
    protected Op fresh() {
      return new TernaryMRI();
    }
  }

  /** mem = f(mem, t, CL). */
  static final class TernaryMRC extends Op {
    @Override
    public Op exec(Cpu c) {
      Mmu m = c.mmu;
      long la = Hole.address(c, this);
      long v = Hole.loadForUpdate(m, la);
      long[] r = c.r;
      Hole.store(m, la, Hole.ternary(c, v, Hole.getT(r, t), r[Cpu.RCX]));
      return next;
    }

    @Override
    protected Op fresh() {
      return new TernaryMRC();
    }
  }

  /** mem = condition ? 1 : 0. */
  static final class SetM extends Op {
    @Override
    public Op exec(Cpu c) {
      Hole.store(c.mmu, Hole.address(c, this), Hole.test(c) ? 1 : 0);
      return next;
    }

    @Override
    protected Op fresh() {
      return new SetM();
    }
  }

  /** d = condition ? mem : s; the load happens, and faults, in any case. */
  static final class MoveIfM extends Op {
    @Override
    public Op exec(Cpu c) {
      long v = Hole.load(c.mmu, Hole.address(c, this));
      long[] r = c.r;
      Hole.put(r, d, Hole.test(c) ? v : Hole.getS(r, s));
      return next;
    }

    @Override
    protected Op fresh() {
      return new MoveIfM();
    }
  }

  /** Pushes mem. */
  static final class PushM extends Op {
    @Override
    public Op exec(Cpu c) {
      Hole.push(c, Hole.load(c.mmu, Hole.address(c, this)));
      return next;
    }

    @Override
    protected Op fresh() {
      return new PushM();
    }
  }
}
