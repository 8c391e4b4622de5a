package org.hypergraft.vmm.cpu.interpret;

import org.hypergraft.vmm.cpu.Cpu;

/** Templates that end a block by a jump. Targets are in imm (taken) or computed. */
final class BranchTemplates {
  private BranchTemplates() {}

  /** Jcc. */
  static final class Conditional extends Branch {
    @Override
    public Op exec(Cpu c) {
      if (Hole.test(c)) {
        Block b = taken;
        return b != null ? enter(c, b) : linkTaken(c);
      }
      Block b = fall;
      return b != null ? enter(c, b) : linkFall(c);
    }

    @Override
    protected Op fresh() {
      return new Conditional();
    }
  }

  /** A conditional jump that a static method decides: LOOP, JCXZ. */
  static final class Decided extends Branch {
    @Override
    public Op exec(Cpu c) {
      if (Hole.decide(c, this)) {
        Block b = taken;
        return b != null ? enter(c, b) : linkTaken(c);
      }
      Block b = fall;
      return b != null ? enter(c, b) : linkFall(c);
    }

    @Override
    protected Op fresh() {
      return new Decided();
    }
  }

  /** JMP to imm; also what falls from one block into the next. */
  static final class Jump extends Branch {
    @Override
    public Op exec(Cpu c) {
      Block b = taken;
      return b != null ? enter(c, b) : linkTaken(c);
    }

    @Override
    protected Op fresh() {
      return new Jump();
    }
  }

  /** CALL to imm. */
  static final class CallNear extends Branch {
    @Override
    public Op exec(Cpu c) {
      Hole.push(c, nextIp());
      Block b = taken;
      return b != null ? enter(c, b) : linkTaken(c);
    }

    @Override
    protected Op fresh() {
      return new CallNear();
    }
  }

  /** JMP to s. */
  static final class JumpR extends Branch {
    @Override
    public Op exec(Cpu c) {
      return indirect(c, checked(c, near(Hole.getS(c.r, s))));
    }

    @Override
    protected Op fresh() {
      return new JumpR();
    }
  }

  /** JMP to mem. */
  static final class JumpM extends Branch {
    @Override
    public Op exec(Cpu c) {
      return indirect(c, checked(c, Hole.load(c.mmu, Hole.address(c, this))));
    }

    @Override
    protected Op fresh() {
      return new JumpM();
    }
  }

  /** CALL to s. */
  static final class CallR extends Branch {
    @Override
    public Op exec(Cpu c) {
      long target = near(Hole.getS(c.r, s));
      long sp = c.r[Cpu.RSP];
      Hole.push(c, nextIp());
      return indirect(c, checked(c, target, sp));
    }

    @Override
    protected Op fresh() {
      return new CallR();
    }
  }

  /** CALL to mem. */
  static final class CallM extends Branch {
    @Override
    public Op exec(Cpu c) {
      long target = Hole.load(c.mmu, Hole.address(c, this));
      long sp = c.r[Cpu.RSP];
      Hole.push(c, nextIp());
      return indirect(c, checked(c, target, sp));
    }

    @Override
    protected Op fresh() {
      return new CallM();
    }
  }

  /** RET. */
  static final class Return extends Branch {
    @Override
    public Op exec(Cpu c) {
      long sp = c.r[Cpu.RSP];
      return indirect(c, checked(c, Hole.pop(c), sp));
    }

    @Override
    protected Op fresh() {
      return new Return();
    }
  }

  /** RET imm: drops imm bytes of arguments as well. */
  static final class ReturnRelease extends Branch {
    @Override
    public Op exec(Cpu c) {
      long sp = c.r[Cpu.RSP];
      long target = checked(c, Hole.pop(c), sp);
      Stack.set(c, Stack.moved(c, imm & 0xffff));
      return indirect(c, target);
    }

    @Override
    protected Op fresh() {
      return new ReturnRelease();
    }
  }

  /** A static method does the work; c.rip is the next instruction unless it says otherwise. */
  static final class Leave extends Branch {
    @Override
    public Op exec(Cpu c) {
      c.rip = nextIp();
      Hole.call(c, this);
      return null;
    }

    @Override
    protected Op fresh() {
      return new Leave();
    }
  }
}
