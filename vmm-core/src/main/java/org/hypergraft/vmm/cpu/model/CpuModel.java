package org.hypergraft.vmm.cpu.model;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.hypergraft.annotator.abi.CpuVendor;

/**
 * A processor model: identification, features, address widths, registers. Immutable; {@link
 * CpuModels} holds the ones there are.
 */
public final class CpuModel {
  private final String name;
  private final CpuVendor vendor;
  private final int signature;
  private final String brand;
  private final Set<Feature> features;
  private final int physicalBits;
  private final int microcode;
  private final long archCapabilities;
  private final List<MsrRow> msrs;

  /**
   * @param signature EAX of CPUID leaf 1
   * @param brand at most 47 characters
   * @param wanted features of the real processor; those the machine lacks are left out
   * @param physicalBits MAXPHYADDR
   * @param microcode revision the microcode register shows
   * @param archCapabilities IA32_ARCH_CAPABILITIES, used when that feature is there
   */
  CpuModel(
      String name,
      CpuVendor vendor,
      int signature,
      String brand,
      Set<Feature> wanted,
      int physicalBits,
      int microcode,
      long archCapabilities) {
    this.name = name;
    this.vendor = vendor;
    this.signature = signature;
    this.brand = brand;
    this.physicalBits = physicalBits;
    this.microcode = microcode;
    this.archCapabilities = archCapabilities;
    EnumSet<Feature> has = EnumSet.copyOf(wanted);
    has.retainAll(Implemented.FEATURES);
    features = Collections.unmodifiableSet(has);
    List<MsrRow> rows = new ArrayList<>(MsrRows.mtrrs(physicalBits));
    rows.addAll(MsrRows.machineCheck());
    rows.addAll(vendor == CpuVendor.AMD ? MsrRows.amd(microcode) : MsrRows.intel(microcode));
    rows.addAll(MsrRows.speculation(has, archCapabilities));
    if (has.contains(Feature.XSAVES)) {
      rows.add(MsrRows.supervisorState());
    }
    msrs = List.copyOf(rows);
  }

  /** This model without some of its features, under another name. */
  CpuModel without(Set<Feature> missing, String newName) {
    EnumSet<Feature> rest = EnumSet.copyOf(features);
    rest.removeAll(missing);
    return new CpuModel(
        newName, vendor, signature, brand, rest, physicalBits, microcode, archCapabilities);
  }

  /** Name on the command line, without the vendor. */
  public String name() {
    return name;
  }

  public CpuVendor vendor() {
    return vendor;
  }

  public boolean has(Feature f) {
    return features.contains(f);
  }

  public Set<Feature> features() {
    return features;
  }

  public int physicalBits() {
    return physicalBits;
  }

  public int signature() {
    return signature;
  }

  String brand() {
    return brand;
  }

  /** Table-driven registers; those the core keeps itself are not among them. */
  public List<MsrRow> msrs() {
    return msrs;
  }
}
