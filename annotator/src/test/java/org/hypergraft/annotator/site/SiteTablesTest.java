package org.hypergraft.annotator.site;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.TreeMap;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.kernels.Kernels;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The tables of real kernels: entry counts by version, and what must hold for any version. */
class SiteTablesTest {
  @ParameterizedTest
  @CsvSource({
    "5.10.262 cloud, 5.10.262-1, 7520, 12, 1006, 0,    8075, 7625, 44894, 0,      0,     3619, 85",
    "6.1 cloud,      6.1.192-2,  3679, 12, 4468, 0,    8927, 7861, 48084, 0,      0,     5980, 84",
    "6.1 amd64,      6.1.192-2,  3848, 12, 4667, 0,    8638, 8823, 50858, 0,      0,     6299, 84",
    "6.1 686,        6.1.176-1,  264,  12, 954,  0,    8059, 0,    0,     0,      0,     5131, 13",
    "6.1 686-pae,    6.1.176-1,  265,  12, 1040, 0,    8128, 0,    0,     0,      0,     5071, 13",
    "6.12 cloud,     6.12.117-1, 0,    14, 9038, 4068, 9972, 7875, 58229, 230510, 12208, 8973, 83",
    "7.2 cloud,      7.2.13-1,   0,    14, 9987, 4168, 11949, 9288, 65677, 278558, 13584, 9929, 78"
  })
  void knownVersionsHaveTheirCounts(
      String selector,
      String version,
      int paravirt,
      int alternativeSize,
      int alternatives,
      int directCalls,
      int locks,
      int retpolines,
      int returns,
      int calls,
      int endbrs,
      int jumps,
      int slots) {
    GuestImage image = Kernels.image(selector);
    org.junit.jupiter.api.Assumptions.assumeTrue(
        image.banner().orElse("").contains(version), "another version than " + version);
    SiteMap sites = SiteMap.of(image);
    Map<String, Integer> expected = new TreeMap<>();
    expected.put(".altinstructions", alternatives);
    put(expected, ".parainstructions", paravirt);
    put(expected, ".smp_locks", locks);
    put(expected, ".retpoline_sites", retpolines);
    put(expected, ".return_sites", returns);
    put(expected, ".call_sites", calls);
    put(expected, ".ibt_endbr_seal", endbrs);
    put(expected, "__jump_table", jumps);
    Map<String, Integer> found = new TreeMap<>();
    for (SiteTable t : sites.tables()) {
      found.put(t.name(), t.entries());
    }
    found.keySet().retainAll(expected.keySet());
    assertEquals(expected, found);
    AlternativeTable t = sites.alternatives().orElseThrow();
    assertEquals(alternativeSize, t.entrySize());
    int direct = 0;
    for (int i = 0; i < t.entries(); i++) {
      direct += t.directCall(i) ? 1 : 0;
    }
    assertEquals(directCalls, direct);
    assertEquals(slots, sites.pvOps().orElseThrow().slots().size());
  }

  private static void put(Map<String, Integer> map, String table, int entries) {
    if (entries > 0) {
      map.put(table, entries);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "5.10.223 cloud",
        "5.10.262 cloud",
        "6.1 cloud",
        "6.1 amd64",
        "6.1 686",
        "6.1 686-pae",
        "6.12 cloud",
        "7.2 cloud"
      })
  void everyParavirtualCallGoesThroughTheSlotItsEntryNames(String selector) {
    SiteMap sites = SiteMap.of(Kernels.image(selector));
    int entries = sites.paravirt().map(ParavirtTable::entries).orElse(0);
    if (entries == 0) {
      AlternativeTable t = sites.alternatives().orElseThrow();
      for (int i = 0; i < t.entries(); i++) {
        entries += t.directCall(i) ? 1 : 0;
      }
    }
    assertTrue(entries > 200);
    assertEquals(entries, sites.provenParavirtCalls());
    for (PvOps.Slot s : sites.pvOps().orElseThrow().slots()) {
      assertTrue(s.operation().matches("[a-z]+\\.[a-z0-9_.]+"), s.operation());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "6.1 cloud, irq.irq_disable, 31, pv_native_irq_disable",
    "6.1 686-pae, lock.queued_spin_unlock, 9, __raw_callee_save___native_queued_spin_unlock",
    "6.12 cloud, mmu.tlb_remove_table, 39, native_tlb_remove_table",
    "7.2 cloud, lock.queued_spin_lock_slowpath, 73, native_queued_spin_lock_slowpath",
    "5.10.262 cloud, cpu.iret, 31, native_iret"
  })
  void slotsHaveNamesAndInitialisers(
      String selector, String operation, int index, String initialiser) {
    GuestImage image = Kernels.image(selector);
    PvOps.Slot s = SiteMap.of(image).pvOps().orElseThrow().slot(operation).orElseThrow();
    assertEquals(index, s.index());
    assertTrue(
        image.symbols().findAll(initialiser).stream().anyMatch(x -> x.address() == s.initial()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"6.1 cloud", "6.12 cloud"})
  void listingNamesOperationsAndSymbols(String selector) {
    SiteMap sites = SiteMap.of(Kernels.image(selector));
    Map<String, Integer> operations = new TreeMap<>();
    int[] hypercalls = {0};
    sites.forEach(
        s -> {
          operations.merge(s.operation(), 1, Integer::sum);
          hypercalls[0] += s.operation().equals("hypercall") ? 1 : 0;
          if (s.bytes().length != s.length() || s.symbol().isEmpty()) {
            throw new AssertionError(s.toString());
          }
        });
    assertTrue(operations.get("irq.irq_disable") >= 401, operations.toString());
    assertTrue(operations.containsKey("static_call.xen_hypercall"));
    assertTrue(hypercalls[0] >= 4, "vmcall alternatives");
  }

  @ParameterizedTest
  @ValueSource(strings = {"6.1 cloud", "7.2 cloud"})
  void theIndexFindsEverySiteByAnyOfItsBytes(String selector) {
    SiteMap sites = SiteMap.of(Kernels.image(selector));
    SiteIndex index = new SiteIndex(sites);
    AlternativeTable t = sites.alternatives().orElseThrow();
    for (int i = 0; i < t.entries(); i++) {
      int found = index.covering(t.address(i) + t.length(i) - 1);
      assertTrue(found >= 0 && index.address(found) <= t.address(i), () -> "entry");
    }
    assertEquals(-1, index.covering(0));
  }

  /** Without symbols of data the table's place is read from the code that walks it. */
  @ParameterizedTest
  @CsvSource({"6.1 cloud", "7.2 cloud", "6.1 686", "6.1 686-pae"})
  void everyEntryOfTheFunctionTracerIsACallOfItsEntryPoint(String selector) {
    GuestImage image = Kernels.image(selector);
    AddressTable t = SiteMap.of(image).addresses(AddressTable.Kind.MCOUNT_LOC).orElseThrow();
    long tracer = image.symbols().addressOf("__fentry__");
    assertTrue(t.entries() > 30_000, t.entries() + " entries");
    for (int i = 0; i < t.entries(); i++) {
      long at = t.address(i);
      assertEquals(0xe8, image.u8(at));
      assertEquals(tracer, at + 5 + image.s32(at + 1), () -> Long.toHexString(at));
    }
  }
}
