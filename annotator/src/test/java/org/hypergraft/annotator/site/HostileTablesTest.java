package org.hypergraft.annotator.site;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.ImageException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Damaged tables are refused by name, entry and address, or read; nothing else may happen. */
class HostileTablesTest {
  private static final int MUTANTS = 10_000;

  private static SyntheticKernel kernel(boolean separateFlags) {
    SyntheticKernel k = new SyntheticKernel(separateFlags);
    if (!separateFlags) {
      k.paravirt(0x100, 1).paravirt(0x110, 2);
    } else {
      k.indirectCall(0x100, 1);
      k.replacement(0, "e800000000").alternative(0x100, 6, 0, 5, 117, 2);
    }
    k.code(0x200, "90909090").replacement(0x20, "0f01d9").alternative(0x200, 4, 0x20, 3, 271, 0);
    k.code(0x300, "f0ff00").place(AddressTable.Kind.SMP_LOCKS, 0x300);
    k.code(0x400, "e800000000").place(AddressTable.Kind.RETPOLINE_SITES, 0x400);
    k.code(0x500, "e900000000").place(AddressTable.Kind.RETURN_SITES, 0x500);
    k.code(0x600, "e800000000").place(AddressTable.Kind.CALL_SITES, 0x600);
    k.code(0x700, "f30f1efa").place(AddressTable.Kind.IBT_ENDBR_SEAL, 0x700);
    return k;
  }

  @Test
  void readsWhatItBuilds() {
    SiteMap sites = SiteMap.of(kernel(false).parse());
    assertEquals(2, sites.paravirt().orElseThrow().entries());
    assertEquals(2, sites.provenParavirtCalls());
    assertEquals("pv_ops[2]", sites.pvOps().orElseThrow().slot(2).operation());
    assertEquals(7, sites.tables().size());
    AlternativeTable t = sites.alternatives().orElseThrow();
    assertEquals(AlternativeTable.Layout.FLAG_IN_FEATURE, t.layout());
    assertEquals(SyntheticKernel.TEXT + 0x200, t.address(0));
    SiteMap later = SiteMap.of(kernel(true).parse());
    assertEquals(
        AlternativeTable.Layout.SEPARATE_FLAGS, later.alternatives().orElseThrow().layout());
    assertEquals(1, later.provenParavirtCalls());
  }

  @Test
  void saysWhichEntryIsWrong() {
    SyntheticKernel k = kernel(false);
    byte[] b = k.build();
    ByteBuffer.wrap(b)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(k.offsetOf(ParavirtTable.NAME) + 16, 0x1234);
    GuestImage image = GuestImage.parse(b, "k");
    ImageException e = assertThrows(ImageException.class, () -> SiteMap.of(image));
    assertTrue(e.getMessage().contains(".parainstructions entry 1"), e.getMessage());
    assertTrue(e.getMessage().contains("0x1234"), e.getMessage());
  }

  @Test
  void refusesASiteThatEndsBehindTheLastAddress() {
    SyntheticKernel k = kernel(false);
    byte[] b = k.build();
    ByteBuffer.wrap(b)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(k.offsetOf(ParavirtTable.NAME) + 16, Long.MAX_VALUE);
    GuestImage image = GuestImage.parse(b, "k");
    ImageException e = assertThrows(ImageException.class, () -> SiteMap.of(image));
    assertTrue(e.getMessage().contains("entry 1: expected 6 bytes of code"), e.getMessage());
  }

  @Test
  void refusesCodeSectionsThatShareBytes() {
    byte[] b = kernel(false).build();
    ByteBuffer elf = ByteBuffer.wrap(b).order(ByteOrder.LITTLE_ENDIAN);
    int headers = (int) elf.getLong(40);
    for (int i = 1; i <= 2; i++) { // .text and the replacements
      elf.putLong(headers + 64 * i + 24, 0x1000).putLong(headers + 64 * i + 32, b.length - 0x1000);
    }
    GuestImage image = GuestImage.parse(b, "k");
    ImageException e = assertThrows(ImageException.class, () -> SiteMap.of(image));
    assertTrue(e.getMessage().contains("its 2 code sections claim"), e.getMessage());
  }

  @Test
  void branchesToThunksHaveTheirWholeLength() {
    SyntheticKernel k = new SyntheticKernel(false);
    String[] code = {"e800000000", "2ee800000000", "2ee900000000", "0f8500000000", "2effd09090"};
    for (int i = 0; i < code.length; i++) {
      k.code(0x100 * i, code[i]).place(AddressTable.Kind.RETPOLINE_SITES, 0x100 * i);
    }
    SiteMap sites = SiteMap.of(k.parse());
    AddressTable t = sites.addresses(AddressTable.Kind.RETPOLINE_SITES).orElseThrow();
    SiteIndex index = new SiteIndex(sites);
    for (int i = 0; i < code.length; i++) {
      assertEquals(code[i].length() / 2, t.length(i), code[i]);
      assertEquals(t.length(i), index.length(i), code[i]);
    }
  }

  @Test
  void saysWhyNoLayoutOfAlternativesFits() {
    SyntheticKernel k = kernel(true);
    byte[] b = k.build();
    b[k.offsetOf(AlternativeTable.NAME) + 13] = (byte) 200;
    GuestImage image = GuestImage.parse(b, "k");
    ImageException e = assertThrows(ImageException.class, () -> SiteMap.of(image));
    assertTrue(e.getMessage().contains("no known layout"), e.getMessage());
    assertTrue(e.getMessage().contains("entry 0 says 6 bytes"), e.getMessage());
  }

  @Test
  void refusesCallsThatGoThroughAnotherSlot() {
    SyntheticKernel k = kernel(false).indirectCall(0x110, 3);
    GuestImage image = k.parse();
    ImageException e = assertThrows(ImageException.class, () -> SiteMap.of(image));
    assertTrue(e.getMessage().contains("expected slot 2"), e.getMessage());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        ".parainstructions",
        ".altinstructions",
        ".smp_locks",
        ".retpoline_sites",
        ".return_sites",
        ".call_sites",
        ".ibt_endbr_seal"
      })
  void mutants(String table) {
    SyntheticKernel k = kernel(false);
    byte[] b = k.build();
    int at = k.offsetOf(table);
    int size = k.sizeOf(table);
    Random random = new Random(table.hashCode());
    int refused = 0;
    byte[] saved = new byte[size];
    System.arraycopy(b, at, saved, 0, size);
    for (int i = 0; i < MUTANTS; i++) {
      int changes = 1 + random.nextInt(3);
      for (int c = 0; c < changes; c++) {
        b[at + random.nextInt(size)] = (byte) random.nextInt();
      }
      try {
        SiteMap sites = SiteMap.of(GuestImage.parse(b, "mutant"));
        sites.forEach(s -> {});
      } catch (ImageException e) {
        assertTrue(e.getMessage().contains(".") && e.getMessage().length() < 400, e.getMessage());
        refused++;
      }
      System.arraycopy(saved, 0, b, at, size);
    }
    assertTrue(refused > MUTANTS / 10, refused + " refused");
  }
}
