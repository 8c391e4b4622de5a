package org.hypergraft.patcher.verify;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.hypergraft.annotator.image.GuestImage;

/** Collects what the checks find and how much they looked at. */
final class Findings {
  private final GuestImage image;
  private final List<Finding> list = new ArrayList<>();
  private final Map<String, Integer> checked = new LinkedHashMap<>();
  private int dropped;

  Findings(GuestImage image) {
    this.image = image;
  }

  void add(String check, long address, String message) {
    if (list.size() == Verification.MAX_FINDINGS) {
      dropped++;
      return;
    }
    String symbol =
        address == 0 || image.symbols().size() == 0 ? "" : image.symbols().describe(address);
    list.add(new Finding(check, address, symbol, message));
  }

  void looked(String check, int count) {
    checked.merge(check, count, Integer::sum);
  }

  Verification result() {
    return new Verification(list, checked, dropped);
  }
}
