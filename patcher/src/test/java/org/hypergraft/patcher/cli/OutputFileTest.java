package org.hypergraft.patcher.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OutputFileTest {
  @TempDir Path folder;

  @Test
  void replacesTheWholeFile() throws IOException {
    Path target = Files.write(folder.resolve("out"), new byte[100]);
    OutputFile.write(target, new byte[] {1, 2, 3});
    assertArrayEquals(new byte[] {1, 2, 3}, Files.readAllBytes(target));
    assertOnly(1);
  }

  @Test
  void followsALinkInsteadOfReplacingIt() throws IOException {
    Path target = Files.write(folder.resolve("real"), new byte[1]);
    Path link = Files.createSymbolicLink(folder.resolve("link"), target);
    OutputFile.write(link, new byte[] {7});
    assertTrue(Files.isSymbolicLink(link));
    assertArrayEquals(new byte[] {7}, Files.readAllBytes(target));
  }

  @Test
  void aFolderOrAMissingFolderIsOneSentence() throws IOException {
    CommandFailure failure =
        assertThrows(CommandFailure.class, () -> OutputFile.write(folder, new byte[1]));
    assertEquals(ExitStatus.FILE, failure.status());
    assertEquals("cannot write " + folder + ": it is a folder", failure.getMessage());
    Path lost = folder.resolve("no/such/out");
    failure = assertThrows(CommandFailure.class, () -> OutputFile.write(lost, new byte[1]));
    assertTrue(failure.getMessage().contains("there is no folder"), failure.getMessage());
    assertOnly(0);
  }

  @Test
  void devicesAreWrittenInPlace() {
    OutputFile.write(Path.of("/dev/null"), new byte[10]);
    assertTrue(Files.exists(Path.of("/dev/null")));
  }

  private void assertOnly(int files) throws IOException {
    try (Stream<Path> all = Files.list(folder)) {
      assertEquals(files, all.count());
    }
  }
}
