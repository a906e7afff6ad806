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
        WorkloadProcess process = plan.process();
        checkText(process.cwd(), 4095);
        checkText(plan.hostname(), 64);
        checkText(plan.domainname(), 64);
        process.args().forEach(arg -> checkText(arg, Integer.MAX_VALUE));
        process.env().forEach(variable -> checkText(variable, Integer.MAX_VALUE));
        Bounded.check(!process.args().isEmpty() && process.cwd().startsWith("/"), "a process without a program");
        Bounded.check(process.groups().size() <= 1024, process.groups().size() + " groups");
        process.groups().forEach(SpecFuzz::checkId);
        checkId(process.uid());
        checkId(process.gid());
        for (GuestMount mount : plan.mounts()) {
            Bounded.check(mount.target().startsWith("/"), "mount point \"" + mount.target() + "\"");
            checkText(mount.target(), 4095);
            checkText(mount.source(), 4095);
            checkText(mount.data(), 4095);
        }
        for (GuestDevice device : plan.devices()) {
            Bounded.check(
                    device.path().startsWith("/dev/")
                            && device.mode() <= 07777
                            && device.major() >= 0
                            && device.minor() >= 0,
                    "device " + device);
            checkId(device.uid());
            checkId(device.gid());
        }
        plan.sysctls().forEach((name, value) -> {
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
