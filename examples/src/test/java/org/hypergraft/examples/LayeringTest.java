package org.hypergraft.examples;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The floors of the house: imports go downward only, and no two packages need each other. */
class LayeringTest {
  private static final String ANNOTATOR = "org.hypergraft.annotator..";
  private static final String VMM = "org.hypergraft.vmm..";
  private static final String PATCHER = "org.hypergraft.patcher..";
  private static final String EXAMPLES = "org.hypergraft.examples..";

  private static JavaClasses classes;

  @BeforeAll
  static void importClasses() {
    classes =
        new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .withImportOption(location -> !location.contains("-tests.jar"))
            .importPackages("org.hypergraft");
    for (String floor : new String[] {"annotator", "vmm", "patcher"}) {
      Assertions.assertTrue(
          classes.stream().anyMatch(c -> c.getName().startsWith("org.hypergraft." + floor + ".")),
          "no class of " + floor + " was found");
    }
  }

  @Test
  void annotatorStandsAlone() {
    never(ANNOTATOR, VMM, PATCHER, EXAMPLES);
  }

  @Test
  void machineKnowsNothingOfThePatcher() {
    never(VMM, PATCHER, EXAMPLES);
  }

  @Test
  void patcherKnowsNothingOfTheExamples() {
    never(PATCHER, EXAMPLES);
  }

  @Test
  void decoderReadsBytesNotImages() {
    never(
        "org.hypergraft.annotator.isa..",
        "org.hypergraft.annotator.image..",
        "org.hypergraft.annotator.abi..",
        "org.hypergraft.annotator.site..",
        "org.hypergraft.annotator.profile..");
  }

  @Test
  void abiIsFactsOnly() {
    never(
        "org.hypergraft.annotator.abi..",
        "org.hypergraft.annotator.image..",
        "org.hypergraft.annotator.site..",
        "org.hypergraft.annotator.profile..");
  }

  @Test
  void imageKnowsNoSites() {
    never(
        "org.hypergraft.annotator.image..",
        "org.hypergraft.annotator.site..",
        "org.hypergraft.annotator.profile..");
  }

  @Test
  void onlyTheCommandLineUsesPicocli() {
    check(
        noClasses()
            .that()
            .resideOutsideOfPackage("org.hypergraft.patcher.cli..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("picocli.."));
  }

  @Test
  void nothingImportsTheCommandLine() {
    check(
        noClasses()
            .that()
            .resideInAnyPackage(ANNOTATOR, VMM, "org.hypergraft.patcher..")
            .and()
            .resideOutsideOfPackage("org.hypergraft.patcher.cli..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.hypergraft.patcher.cli.."));
  }

  @Test
  void packagesHaveNoCycles() {
    check(slices().matching("org.hypergraft.(**)").should().beFreeOfCycles());
  }

  private static void never(String from, String... to) {
    check(
        noClasses()
            .that()
            .resideInAPackage(from)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(to));
  }

  private static void check(ArchRule rule) {
    rule.allowEmptyShould(true).check(classes);
  }
}
