package org.hypergraft.vmm.cpu.interpret;

/** The op shapes. Their classes hold what each one does; see {@link OpFactory}. */
public enum Template {
  MOVE(RegisterTemplates.Move.class),
  MOVE_IMM(RegisterTemplates.MoveImm.class),
  R(RegisterTemplates.R.class),
  RR(RegisterTemplates.RR.class),
  RI(RegisterTemplates.RI.class),
  COMPARE_RR(RegisterTemplates.CompareRR.class),
  COMPARE_RI(RegisterTemplates.CompareRI.class),
  EFFECT_R(RegisterTemplates.EffectR.class),
  TERNARY_RRI(RegisterTemplates.TernaryRRI.class),
  TERNARY_RRC(RegisterTemplates.TernaryRRC.class),
  SET_R(RegisterTemplates.SetR.class),
  MOVE_IF_R(RegisterTemplates.MoveIfR.class),
  PUSH_R(RegisterTemplates.PushR.class),
  PUSH_IMM(RegisterTemplates.PushImm.class),
  POP_R(RegisterTemplates.PopR.class),
  LEA(RegisterTemplates.Lea.class),
  NOTHING(RegisterTemplates.Nothing.class),
  CALL(RegisterTemplates.Call.class),
  CALL_OR_LEAVE(RegisterTemplates.CallOrLeave.class),
  CALL_OR_REPEAT(RegisterTemplates.CallOrRepeat.class),
  LOAD(MemoryTemplates.Load.class),
  STORE(MemoryTemplates.Store.class),
  STORE_IMM(MemoryTemplates.StoreImm.class),
  M(MemoryTemplates.M.class),
  RM(MemoryTemplates.RM.class),
  MR(MemoryTemplates.MR.class),
  MI(MemoryTemplates.MI.class),
  COMPARE_RM(MemoryTemplates.CompareRM.class),
  COMPARE_MR(MemoryTemplates.CompareMR.class),
  COMPARE_MI(MemoryTemplates.CompareMI.class),
  EFFECT_M(MemoryTemplates.EffectM.class),
  UPDATE_M(MemoryTemplates.UpdateM.class),
  UPDATE_MR(MemoryTemplates.UpdateMR.class),
  UPDATE_MI(MemoryTemplates.UpdateMI.class),
  TERNARY_MRI(MemoryTemplates.TernaryMRI.class),
  TERNARY_MRC(MemoryTemplates.TernaryMRC.class),
  SET_M(MemoryTemplates.SetM.class),
  MOVE_IF_M(MemoryTemplates.MoveIfM.class),
  PUSH_M(MemoryTemplates.PushM.class),
  CONDITIONAL(BranchTemplates.Conditional.class),
  DECIDED(BranchTemplates.Decided.class),
  JUMP(BranchTemplates.Jump.class),
  CALL_NEAR(BranchTemplates.CallNear.class),
  JUMP_R(BranchTemplates.JumpR.class),
  JUMP_M(BranchTemplates.JumpM.class),
  CALL_R(BranchTemplates.CallR.class),
  CALL_M(BranchTemplates.CallM.class),
  RETURN(BranchTemplates.Return.class),
  RETURN_RELEASE(BranchTemplates.ReturnRelease.class),
  LEAVE(BranchTemplates.Leave.class);

  final Class<? extends Op> type;

  /** Whether the class computes its address by a hole. */
  final boolean addressed;

  Template(Class<? extends Op> type) {
    this.type = type;
    this.addressed =
        type.getEnclosingClass() == MemoryTemplates.class
            || type == RegisterTemplates.Lea.class
            || type == BranchTemplates.JumpM.class
            || type == BranchTemplates.CallM.class;
  }
}
