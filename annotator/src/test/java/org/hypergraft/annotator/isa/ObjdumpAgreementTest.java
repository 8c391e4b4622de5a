package org.hypergraft.annotator.isa;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.Section;
import org.hypergraft.annotator.kernels.Kernels;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Instruction boundaries over whole kernel texts against objdump, and the text of every {@value
 * #TEXT_STEP}th instruction ({@code -Dhypergraft.objdump.step=1} for all).
 */
class ObjdumpAgreementTest {
  private static final int TEXT_STEP = 16;

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({"6.1 cloud, 64", "6.12 cloud, 64", "6.1 686-pae, 32"})
  void wholeText(String selector, int mode) throws IOException, InterruptedException {
    GuestImage image = Kernels.image(selector);
    Assumptions.assumeTrue(hasObjdump(), "no objdump on this machine");
    Section text = image.section(".text").orElseThrow();
    byte[] code = image.payload();
    int start = image.offsetOf(text.address());
    int end = Math.toIntExact(start + text.size());
    Path elf = folder.resolve("vmlinux");
    Files.write(elf, code);

    int step = Integer.getInteger("hypergraft.objdump.step", TEXT_STEP);
    List<String> wrong = new ArrayList<>();
    int instructions = 0;
    int bad = 0;
    long mask = mode == 64 ? -1L : 0xffffffffL;
    Insn in = new Insn();
    Process objdump =
        new ProcessBuilder(
                "objdump", "-d", "-w", "-z", "--no-show-raw-insn", "-j", ".text", elf.toString())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(objdump.getInputStream(), StandardCharsets.US_ASCII), 1 << 20)) {
      long expected = text.address() & mask;
      boolean afterBad = false;
      for (String line; (line = lines.readLine()) != null && wrong.size() < 20; ) {
        int colon = line.indexOf(":\t");
        if (colon < 0) {
          continue;
        }
        long address = Long.parseUnsignedLong(line, 0, colon, 16) & mask;
        if (address != expected && !afterBad) {
          wrong.add("boundary: ours at " + Long.toHexString(expected) + ", objdump: " + line);
        }
        String theirs = line.substring(colon + 2).strip();
        int offset = (int) (start + address - (text.address() & mask));
        int length = Decoder.decode(code, offset, end, address, mode, in);
        instructions++;
        // Data in the text, or an instruction cut at its end; how far objdump skips varies.
        afterBad = theirs.contains("(bad)");
        if (afterBad) {
          bad++;
          continue;
        }
        expected = (address + length) & mask;
        if (instructions % step == 0) {
          String ours = DecoderVectorsTest.oneBlank(Formatter.att(in, Symbolizer.NONE));
          if (!ours.equals(DecoderVectorsTest.oneBlank(theirs))) {
            wrong.add(Long.toHexString(address) + ": ours " + ours + ", objdump " + theirs);
          }
        }
      }
    } finally {
      objdump.destroy();
    }
    assertEquals(List.of(), wrong);
    assertTrue(instructions > 1_000_000, "only " + instructions + " instructions compared");
    assertTrue(bad < 10, bad + " bad instructions in " + selector);
  }

  private static boolean hasObjdump() throws InterruptedException {
    try {
      return new ProcessBuilder("objdump", "--version")
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException e) {
      return false;
    }
  }
}
