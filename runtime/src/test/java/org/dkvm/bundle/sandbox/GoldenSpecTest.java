// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.dkvm.bundle.plan.SandboxPlan;
import org.dkvm.bundle.plan.SandboxPlanJson;
import org.dkvm.core.DkvmException;
import org.dkvm.json.Json;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Specs as engines wrote them (ids made alike, seccomp profile and device list shortened) and what becomes of them. {@code mvn test -Dtest=GoldenSpecTest
 * -Ddkvm.golden=write} writes the expectations anew: read the difference.
 */
class GoldenSpecTest {
    private static final Path SPECS = Path.of("runtime/src/test/resources/specs");

    static List<String> cases() throws IOException {
        try (Stream<Path> files = Files.walk(SPECS)) {
            return files.map(file -> SPECS.relativize(file).toString())
                    .filter(name -> name.endsWith(".json") && !name.endsWith(".expected.json"))
                    .map(name -> name.substring(0, name.length() - ".json".length()))
                    .sorted()
                    .toList();
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void aSpecBecomesTheSandboxItShould(String name) throws DkvmException, IOException {
        SandboxSpec sandbox = Rewrites.rewrite(Json.readObject(SPECS.resolve(name + ".json")));
        JsonObject both = new JsonObject();
        both.add("config.json", sandbox.spec());
        both.add("dkvm-sandbox.json", SandboxPlanJson.toJson(sandbox.plan()));
        String actual = new GsonBuilder()
                        .setPrettyPrinting()
                        .disableHtmlEscaping()
                        .create()
                        .toJson(both) + "\n";
        Path expected = SPECS.resolve(name + ".expected.json");
        if ("write".equals(System.getProperty("dkvm.golden", ""))) {
            Files.writeString(expected, actual);
        }
        assertThat(actual).isEqualTo(Files.readString(expected));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void aRewrittenSpecIsKnownAsASandboxsAndTheOriginalIsLeftAlone(String name) throws DkvmException {
        JsonObject original = Json.readObject(SPECS.resolve(name + ".json"));
        JsonObject copy = original.deepCopy();
        SandboxSpec sandbox = Rewrites.rewrite(original);
        assertThat(original).isEqualTo(copy);
        assertThat(SandboxSpec.isSandbox(original)).isFalse();
        assertThat(SandboxSpec.isSandbox(sandbox.spec())).isTrue();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void aPlanSurvivesItsTextForm(String name) throws DkvmException {
        SandboxPlan plan =
                Rewrites.rewrite(Json.readObject(SPECS.resolve(name + ".json"))).plan();
        String text = Json.write(SandboxPlanJson.toJson(plan));
        assertThat(SandboxPlanJson.fromJson(Json.parseObject(text, name))).isEqualTo(plan);
    }
}
