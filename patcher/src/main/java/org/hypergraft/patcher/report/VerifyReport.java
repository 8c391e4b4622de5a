package org.hypergraft.patcher.report;

import java.io.PrintWriter;
import org.hypergraft.patcher.verify.Finding;
import org.hypergraft.patcher.verify.Verification;

/** What a static verification looked at and found. */
public final class VerifyReport implements Document {
  private final String image;
  private final Verification verification;

  public VerifyReport(String image, Verification verification) {
    this.image = image;
    this.verification = verification;
  }

  @Override
  public void text(PrintWriter out) {
    out.println("image  " + image);
    out.println();
    TextTable checks = new TextTable("check", ">looked at");
    verification.checked().forEach(checks::row);
    checks.print(out, "");
    out.println();
    for (Finding f : verification.findings()) {
      out.println(f.sentence());
    }
    if (verification.dropped() > 0) {
      out.println("and " + Text.number(verification.dropped()) + " more");
    }
    long found = verification.findings().size() + (long) verification.dropped();
    out.println(verification.passed() ? "passed" : "failed: " + Text.count(found, "finding"));
  }

  @Override
  public Json json() {
    Json checked = new Json();
    verification.checked().forEach(checked::put);
    return new Json()
        .put("image", image)
        .put("passed", verification.passed())
        .put("checked", checked)
        .put("dropped", verification.dropped())
        .list(
            "findings",
            verification.findings(),
            f ->
                new Json()
                    .put("check", f.check())
                    .address("address", f.address())
                    .put("symbol", f.symbol())
                    .put("message", f.message()));
  }
}
