package org.hypergraft.annotator.site;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.hypergraft.annotator.abi.CpuFeature;
import org.hypergraft.annotator.kernels.Kernels;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FeatureNamesTest {
  @ParameterizedTest
  @ValueSource(strings = {"5.10.262 cloud", "6.1 cloud", "6.12 cloud", "7.2 cloud"})
  void namesThatNeverChangeAreThoseOfTheKernel(String kernel) {
    FeatureNames own = SiteMap.of(Kernels.image(kernel)).features();
    int named = 0;
    for (int word : new int[] {0, 1, 4, 6, 9, 16, 18}) {
      for (int f = word * 32; f < word * 32 + 32; f++) {
        if (!own.name(f).contains("*32+")) {
          assertEquals(own.name(f), CpuFeature.name(f));
          named++;
        }
      }
    }
    assertTrue(named > 130, named + " names");
  }

  @Test
  void aKernelWithoutTablesOfNamesHasThoseThatNeverChange() {
    FeatureNames names = SiteMap.of(Kernels.image("6.1 686-pae")).features();
    assertEquals("SSE2", names.name(26));
    assertEquals("SMAP", names.name(9 * 32 + 20));
    assertEquals("7*32+11", names.name(7 * 32 + 11), "Linux's own number, which did change");
  }
}
