// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.sandbox;

import com.google.gson.JsonObject;
import java.nio.charset.StandardCharsets;
import org.dkvm.bundle.host.FakeHost;
import org.dkvm.bundle.plan.SandboxPlan;
import org.dkvm.bundle.plan.SandboxPlanJson;
import org.dkvm.core.DkvmException;
import org.dkvm.core.container.GuestDevice;
import org.dkvm.core.container.GuestMount;
import org.dkvm.core.container.WorkloadProcess;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.fuzz.Bounded;
import org.dkvm.json.Json;

/** An OCI spec: refused with a word, or rewritten, always the same way, to a plan that the monitor reads as it was meant. */
public final class SpecFuzz {
    private SpecFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        Bounded.run(input, bytes -> take(new String(bytes, StandardCharsets.UTF_8)));
    }

    private static void take(String text) throws DkvmException {
        JsonObject spec;
        SandboxSpec rewritten;
        try {
            spec = Json.parseObject(text, "config.json");
            rewritten = rewrite(spec.deepCopy());
        } catch (DkvmException e) {
            Bounded.check(!e.text().isEmpty(), "refused without a word");
            return;
        }
        SandboxPlan plan = rewritten.plan();
        Bounded.check(
                plan.equals(
                        SandboxPlanJson.fromJson(Json.parseObject(Json.write(SandboxPlanJson.toJson(plan)), "plan"))),
                "a plan that is read as another one: " + plan);
        checkTold(plan);
        SandboxSpec again = rewrite(spec);
        Bounded.check(
                plan.equals(again.plan()) && Json.write(rewritten.spec()).equals(Json.write(again.spec())),
                "a spec that is rewritten in two ways");
    }

    /** Whether the agent would take it, as native/guest reads its records. */
    private static void checkTold(SandboxPlan plan) {
        WorkloadProcess process = plan.container().process();
        checkText(process.command().cwd(), 4095);
        checkText(plan.vm().names().host(), 64);
        checkText(plan.vm().names().domain(), 64);
        process.command().args().forEach(arg -> checkText(arg, Integer.MAX_VALUE));
        process.command().env().forEach(variable -> checkText(variable, Integer.MAX_VALUE));
        Bounded.check(
                !process.command().args().isEmpty() && process.command().cwd().startsWith("/"),
                "a process without a program");
        Bounded.check(
                process.user().groups().size() <= 1024, process.user().groups().size() + " groups");
        process.user().groups().forEach(SpecFuzz::checkId);
        checkId(process.user().uid());
        checkId(process.user().gid());
        for (GuestMount mount : plan.container().root().mounts()) {
            Bounded.check(mount.target().startsWith("/"), "mount point \"" + mount.target() + "\"");
            checkText(mount.target(), 4095);
            checkText(mount.source(), 4095);
            checkText(mount.data(), 4095);
        }
        for (GuestDevice device : plan.container().devices()) {
            Bounded.check(
                    device.path().startsWith("/dev/")
                            && device.node().mode() <= 07777
                            && device.number().major() >= 0
                            && device.number().minor() >= 0,
                    "device " + device);
            checkId(device.node().uid());
            checkId(device.node().gid());
        }
        plan.vm().sysctls().forEach((name, value) -> {
            checkText(name + "=" + value, 4095);
            Bounded.check(!name.isEmpty() && name.indexOf('=') < 0, "sysctl \"" + name + "\"");
        });
    }

    private static void checkText(String text, int most) {
        Bounded.check(
                text.indexOf('\0') < 0 && text.getBytes(StandardCharsets.UTF_8).length <= most,
                "a text that the agent would not take: " + text);
    }

    private static void checkId(long id) {
        Bounded.check(id >= 0 && id <= 0xFFFF_FFFFL, "id " + id);
    }

    private static SandboxSpec rewrite(JsonObject spec) throws DkvmException {
        return Rewrites.rewrite(spec, Accelerator.TCG, new FakeHost());
    }
}
