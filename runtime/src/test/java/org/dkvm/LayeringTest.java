// SPDX-License-Identifier: Apache-2.0
package org.dkvm;

import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.Locale;
import org.junit.jupiter.api.Test;

/** Packages know only those below them. */
class LayeringTest {
    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("org.dkvm");

    private static final String[] NOUNS = {"Bundle", "Kernel", "Machine", "Share", "Network", "Agent", "Disk", "Vm"};

    @Test
    void arrowsPointDownward() {
        var layers = layeredArchitecture()
                .consideringOnlyDependenciesInLayers()
                .withOptionalLayers(true)
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
        String[] steps = {"Cli", "Create", "Exec", "Update", "Monitor"};
        layers = layers.whereLayer("Cli")
                .mayNotBeAccessedByAnyLayer()
                .whereLayer("Create")
                .mayOnlyBeAccessedByLayers("Cli")
                .whereLayer("Exec")
                .mayOnlyBeAccessedByLayers("Cli")
                .whereLayer("Update")
                .mayOnlyBeAccessedByLayers("Cli")
                .whereLayer("Monitor")
                .mayOnlyBeAccessedByLayers("Cli")
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
        slices().matching("org.dkvm.(*)..").should().beFreeOfCycles().check(CLASSES);
    }
}
