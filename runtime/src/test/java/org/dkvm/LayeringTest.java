// SPDX-License-Identifier: Apache-2.0
package org.dkvm;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Packages know only those below them. */
class LayeringTest {
    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("org.dkvm");

    private static final String[] NOUNS = {"Bundle", "Kernel", "Machine", "Share", "Network", "Agent", "Disk", "Vm"};

    /** From the main program down to the event loop. */
    private static final List<String> MONITOR = List.of(
            "org.dkvm.monitor",
            "org.dkvm.monitor.end",
            "org.dkvm.monitor.services",
            "org.dkvm.monitor.network",
            "org.dkvm.monitor.start",
            "org.dkvm.monitor.link",
            "org.dkvm.monitor.program",
            "org.dkvm.monitor.loop");

    private static final List<String> BUNDLE = List.of(
            "org.dkvm.bundle.sandbox",
            "org.dkvm.bundle.spec",
            "org.dkvm.bundle.mounts",
            "org.dkvm.bundle.process",
            "org.dkvm.bundle.options",
            "org.dkvm.bundle.host",
            "org.dkvm.bundle.plan");

    private static final List<String> CORE =
            List.of("org.dkvm.core.container", "org.dkvm.core.machine", "org.dkvm.core");

    private static final long MOST_CLASSES = 25;
    private static final int MOST_COMPONENTS = 7;

    @Test
    void arrowsPointDownward() {
        var layers = layeredArchitecture()
                .consideringOnlyDependenciesInLayers()
                .withOptionalLayers(true)
                .layer("Training")
                .definedBy("org.dkvm.training..")
                .layer("Cli")
                .definedBy("org.dkvm.cli..")
                .layer("Create")
                .definedBy("org.dkvm.create..")
                .layer("Exec")
                .definedBy("org.dkvm.exec..")
                .layer("Update")
                .definedBy("org.dkvm.update..")
                .layer("Monitor")
                .definedBy("org.dkvm.monitor..")
                .layer("Linux")
                .definedBy("org.dkvm.linux..")
                .layer("Json")
                .definedBy("org.dkvm.json..")
                .layer("Core")
                .definedBy("org.dkvm.core..");
        for (String noun : NOUNS) {
            layers = layers.layer(noun).definedBy("org.dkvm." + noun.toLowerCase(Locale.ROOT) + "..");
        }
        String[] steps = {"Training", "Cli", "Create", "Exec", "Update", "Monitor"};
        layers = layers.whereLayer("Training")
                .mayNotBeAccessedByAnyLayer()
                .whereLayer("Cli")
                .mayOnlyBeAccessedByLayers("Training")
                .whereLayer("Create")
                .mayOnlyBeAccessedByLayers("Cli", "Training")
                .whereLayer("Exec")
                .mayOnlyBeAccessedByLayers("Cli", "Training")
                .whereLayer("Update")
                .mayOnlyBeAccessedByLayers("Cli", "Training")
                .whereLayer("Monitor")
                .mayOnlyBeAccessedByLayers("Cli", "Training")
                .whereLayer("Linux")
                .mayOnlyAccessLayers("Core")
                .whereLayer("Json")
                .mayOnlyAccessLayers("Core")
                .whereLayer("Core")
                .mayNotAccessAnyLayer();
        for (String noun : NOUNS) {
            layers = layers.whereLayer(noun).mayOnlyBeAccessedByLayers(steps);
        }
        layers.check(CLASSES);
    }

    @Test
    void packagesFormNoCycles() {
        slices().matching("org.dkvm.(**)").should().beFreeOfCycles().check(CLASSES);
    }

    @Test
    void roomsOfOneSubjectStandAboveEachOther() {
        for (List<String> rooms : List.of(MONITOR, BUNDLE, CORE)) {
            for (int i = 1; i < rooms.size(); i++) {
                String[] above = rooms.subList(0, i).toArray(String[]::new);
                noClasses()
                        .that()
                        .resideInAPackage(rooms.get(i))
                        .should()
                        .dependOnClassesThat()
                        .resideInAnyPackage(above)
                        .check(CLASSES);
            }
        }
    }

    @Test
    void noPackageIsCrowded() {
        Map<String, Long> sizes = CLASSES.stream()
                .filter(JavaClass::isTopLevelClass)
                .filter(type -> !"package-info".equals(type.getSimpleName()))
                .collect(Collectors.groupingBy(JavaClass::getPackageName, Collectors.counting()));
        assertThat(sizes).hasSizeGreaterThan(NOUNS.length);
        assertThat(sizes).allSatisfy((name, size) -> assertThat(size).as(name).isLessThanOrEqualTo(MOST_CLASSES));
    }

    @Test
    void aRecordIsOneThing() {
        List<JavaClass> records = CLASSES.stream().filter(JavaClass::isRecord).toList();
        assertThat(records).hasSizeGreaterThan(NOUNS.length);
        assertThat(records)
                .allSatisfy(type -> assertThat(type.reflect().getRecordComponents())
                        .as(type.getName())
                        .hasSizeLessThanOrEqualTo(MOST_COMPONENTS));
    }
}
