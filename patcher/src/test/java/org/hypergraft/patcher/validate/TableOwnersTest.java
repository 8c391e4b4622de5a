package org.hypergraft.patcher.validate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.Symbol;
import org.hypergraft.annotator.kernels.Kernels;
import org.hypergraft.annotator.site.AddressTable;
import org.hypergraft.annotator.site.RuntimeConstants;
import org.hypergraft.annotator.site.SiteMap;
import org.hypergraft.annotator.site.StaticCallTable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TableOwnersTest {
  /** {@code ud1 %esp,%ecx} after a trampoline's branch, arch/x86/include/asm/static_call.h. */
  private static final byte[] SIGNATURE = {0x0f, (byte) 0xb9, (byte) 0xcc};

  @ParameterizedTest
  @ValueSource(strings = {"6.1 cloud", "6.12 cloud", "7.2 cloud"})
  void trampolinesBelongToStaticCallsAndNothingElseDoes(String selector) {
    GuestImage image = Kernels.image(selector);
    SiteMap sites = SiteMap.of(image);
    TableOwners owners = new TableOwners(sites);
    long from = image.symbols().addressOf("__static_call_text_start");
    long to = image.symbols().addressOf("__static_call_text_end");
    Set<Long> trampolines = new HashSet<>();
    for (Symbol s : image.symbols().all()) {
      if (s.name().startsWith("__SCT__")) {
        assertTrue(s.address() >= from && s.address() + 8 <= to, s.name());
        assertArrayEquals(SIGNATURE, image.bytes(s.address() + 5, 3), s.name());
        for (int i = 0; i < 5; i++) {
          assertEquals(StaticCallTable.NAME, owners.of(s.address() + i), s.name());
        }
        trampolines.add(s.address());
      }
    }
    assertTrue(trampolines.size() > 700, trampolines.size() + " trampolines");

    // A static call of nothing starts as a jump to the return thunk, which is listed as a return.
    AddressTable returns = sites.addresses(AddressTable.Kind.RETURN_SITES).orElseThrow();
    int shared = 0;
    for (int i = 0; i < returns.entries(); i++) {
      boolean trampoline = trampolines.contains(returns.address(i));
      shared += trampoline ? 1 : 0;
      byte[] behind = image.bytes(returns.address(i) + 5, 3);
      assertEquals(trampoline, Arrays.equals(SIGNATURE, behind), "return " + i);
    }
    assertTrue(shared > 0 && shared < trampolines.size(), shared + " shared");
  }

  @Test
  void constantsOfTheBootAreKnownByTheirSections() {
    GuestImage image = Kernels.image("6.12 cloud");
    SiteMap sites = SiteMap.of(image);
    assertEquals(
        List.of(
            "runtime_shift_d_hash_shift",
            "runtime_ptr_dentry_hashtable",
            "runtime_ptr_USER_PTR_MAX"),
        RuntimeConstants.sections(image));
    TableOwners owners = new TableOwners(sites);
    RuntimeConstants.forEach(
        sites,
        (section, address, length) -> {
          if (length == 8) { // REX.W MOV r64, imm64 (Intel SDM vol. 2 MOV) loads it
            byte[] move = image.bytes(address - 2, 2);
            assertEquals(0x48, move[0] & 0xfe, section);
            assertEquals(0xb8, move[1] & 0xf8, section);
            assertEquals(section, owners.of(address));
          } else { // SHR r32, imm8
            assertEquals(0xc1, image.bytes(address - 2, 1)[0] & 0xff, section);
          }
        });
    assertEquals(List.of(), RuntimeConstants.sections(Kernels.image("6.1 cloud")));
  }
}
