package org.hypergraft.vmm.observe;

import java.util.LinkedHashMap;
import java.util.Map;
import org.hypergraft.annotator.isa.RegisterNames;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;

/** The architectural state of a vCPU by name. */
final class CpuFields {
  private final Map<String, Long> fields = new LinkedHashMap<>();

  private CpuFields() {}

  /** A snapshot; what decides control flow comes first. */
  static Map<String, Long> of(Cpu c) {
    CpuFields f = new CpuFields();
    f.put("retired", c.retired());
    f.put("rip", c.rip);
    for (int i = 0; i < RegisterNames.GENERAL.size(); i++) {
      f.put(RegisterNames.GENERAL.get(i), c.r[i]);
    }
    f.put("rflags", Flags.get(c));
    f.put("cpl", c.cpl);
    f.put("halted", c.halted ? 1 : 0);
    for (int i = 0; i < RegisterNames.SEGMENTS.size(); i++) {
      String name = RegisterNames.SEGMENTS.get(i);
      f.put(name, c.sel[i]);
      f.put(name + ".base", c.segBase[i]);
      f.put(name + ".limit", c.segLimit[i]);
      f.put(name + ".attributes", c.segAttr[i]);
    }
    f.system(c);
    f.floating(c);
    return f.fields;
  }

  private void put(String name, long value) {
    fields.put(name, value);
  }

  private void system(Cpu c) {
    put("cr0", c.cr0);
    put("cr2", c.cr2);
    put("cr3", c.cr3);
    put("cr4", c.cr4);
    put("cr8", c.cr8);
    put("xcr0", c.xcr0);
    put("efer", c.efer);
    for (int i = 0; i < c.dr.length; i++) {
      put("dr" + i, c.dr[i]);
    }
    put("gdt.base", c.gdtBase);
    put("gdt.limit", c.gdtLimit);
    put("idt.base", c.idtBase);
    put("idt.limit", c.idtLimit);
    put("ldt", c.ldtSel);
    put("ldt.base", c.ldtBase);
    put("ldt.limit", c.ldtLimit);
    put("tr", c.trSel);
    put("tr.base", c.trBase);
    put("tr.limit", c.trLimit);
    put("star", c.star);
    put("lstar", c.lstar);
    put("cstar", c.cstar);
    put("fmask", c.fmask);
    put("kernel_gs_base", c.kernelGsBase);
    put("sysenter_cs", c.sysenterCs);
    put("sysenter_esp", c.sysenterEsp);
    put("sysenter_eip", c.sysenterEip);
    put("tsc_aux", c.tscAux);
    put("tsc_adjust", c.tscAdjust);
    put("apic_base", c.apicBase);
    put("pat", c.pat);
  }

  private void floating(Cpu c) {
    // 16 architectural registers of four 64-bit lanes
    for (int i = 0; i < 64; i++) {
      put("ymm%d[%d]".formatted(i >> 2, i & 3), c.x[i]);
    }
    put("mxcsr", c.mxcsr);
    for (int i = 0; i < 8; i++) {
      put("x87.r%d".formatted(i), c.x87.significand[i]);
      put("x87.r%d.exponent".formatted(i), c.x87.signExponent[i]);
    }
    put("x87.control", c.x87.control);
    put("x87.status", c.x87.status);
    put("x87.top", c.x87.top);
    put("x87.valid", c.x87.valid);
  }
}
