// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.options;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.dkvm.core.DkvmException;
import org.dkvm.core.machine.Disk;
import org.dkvm.core.machine.DiskFilesystem;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class DisksOptionTest {
    private static final long GIB = 1L << 30;

    @Test
    void eachFieldIsUnderstood() throws DkvmException {
        assertThat(DisksOption.parse("/disk1,/home,ext4,5G;/disks/a b,/var/lib/docker,btrfs,200M"))
                .containsExactly(
                        new Disk("/disk1", "/home", DiskFilesystem.EXT4, 5 * GIB),
                        new Disk("/disks/a b", "/var/lib/docker", DiskFilesystem.BTRFS, 200L << 20));
    }

    @Test
    void anEmptyValueMeansNone() throws DkvmException {
        assertThat(DisksOption.parse("")).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(DiskFilesystem.class)
    void aFilesystemIsGivenByItsName(DiskFilesystem filesystem) throws DkvmException {
        assertThat(DisksOption.parse("/d,/x," + filesystem.label() + ",1G"))
                .containsExactly(new Disk("/d", "/x", filesystem, GIB));
    }

    @ParameterizedTest
    @CsvSource({
        "10000000,10002432",
        "16777216,16777216",
        "16384K,16777216",
        "16384k,16777216",
        "16M,16777216",
        "16MiB,16777216",
        "16MB,16003072",
        "2g,2147483648",
        "3T,3298534883328",
        "1P,1125899906842624",
        "1E,1152921504606846976"
    })
    void sizesAreThoseOfTruncateRoundedUpToBlocks(String size, long bytes) throws DkvmException {
        assertThat(DisksOption.parse("/d,/x,ext4," + size).getFirst().bytes()).isEqualTo(bytes);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " 5G",
                "5 G",
                "5G ",
                "+5G",
                "-5G",
                "<5G",
                ">5G",
                "/5G",
                "%5G",
                "0x10",
                "1.5G",
                "G",
                "5Q",
                "5e",
                "5GG",
                "5GIB",
                "5gb ",
                "8E",
                "9223372036854775807",
                "99999999999999999999",
                "\u0665G"
            })
    void otherSizesAreRefused(String size) {
        assertThatThrownBy(() -> DisksOption.parse("/d,/x,ext4," + size))
                .hasMessageStartingWith("option \"DKVM_DISKS\" ");
    }

    @ParameterizedTest
    @CsvSource({"ext4,0,8M", "ext2,4M,8M", "ext3,8188K,8M", "xfs,299M,300M", "btrfs,108M,109M"})
    void aSizeThatTheFilesystemDoesNotTakeIsRefused(String filesystem, String size, String least) {
        assertThatThrownBy(() -> DisksOption.parse("/d,/x," + filesystem + "," + size))
                .isInstanceOfSatisfying(
                        DkvmException.class,
                        e -> assertThat(e.text()).endsWith("for " + filesystem + "; it takes at least " + least));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                ";",
                "/d,/x,ext4,1G;",
                ";/d,/x,ext4,1G",
                "/d",
                "/d,/x,ext4",
                "/d,/x,ext4,1G,rw",
                "/d,/x,,ext4,1G",
                "/d /x ext4 1G"
            })
    void otherFormsAreRefusedWithTheRightOne(String value) {
        assertThatThrownBy(() -> DisksOption.parse(value))
                .isInstanceOfSatisfying(
                        DkvmException.class,
                        e -> assertThat(e.text()).contains("give <file>,<directory>,<filesystem>,<size>"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "d",
                "./d",
                "../d",
                "/",
                "//",
                "/../d",
                "/a/../d",
                "/a/..",
                "/.",
                "/a/./d",
                "/a//d",
                "/d/",
                "//d",
                "/proc",
                "/proc/1/mem",
                "/sys/x",
                "/dev/vda",
                "/dev",
                "/.dkvm/x",
                "/opt/dkvm",
                "/opt/dkvm/x"
            })
    void pathsThatMakeNoSenseAreRefused(String path) {
        assertThatThrownBy(() -> DisksOption.parse(path + ",/x,ext4,1G"))
                .hasMessageContaining("the path \"" + path + "\"");
        assertThatThrownBy(() -> DisksOption.parse("/d," + path + ",ext4,1G"))
                .hasMessageContaining("the path \"" + path + "\"");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/a\nb", "/a\tb", "/a\u0000", "/a\u007f", "/caf\u00e9", "/\ud800"})
    void charactersThatAreNotPrintableAreRefused(String path) {
        assertThatThrownBy(() -> DisksOption.parse(path + ",/x,ext4,1G")).hasMessageContaining("printable ASCII");
        assertThatThrownBy(() -> DisksOption.parse("/d," + path + ",ext4,1G")).hasMessageContaining("printable ASCII");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "EXT4", "ext", "ext5", "vfat", "tmpfs", "ext4 ", "../ext4"})
    void anUnknownFilesystemIsRefused(String name) {
        assertThatThrownBy(() -> DisksOption.parse("/d,/x," + name + ",1G"))
                .isInstanceOfSatisfying(
                        DkvmException.class,
                        e -> assertThat(e.text())
                                .contains("the filesystem \"" + name + "\"; give ext4, ext3, ext2, xfs or btrfs"));
    }

    @Test
    void aFileOrADirectoryOfTwoDisksIsRefused() {
        assertThatThrownBy(() -> DisksOption.parse("/d,/x,ext4,1G;/d,/y,ext4,1G"))
                .hasMessageContaining("the file \"/d\" twice");
        assertThatThrownBy(() -> DisksOption.parse("/d,/x,ext4,1G;/e,/x,ext4,1G"))
                .hasMessageContaining("two disks for \"/x\"");
    }

    @Test
    void aDiskForWhatTheVmDoesNotSeeIsRefused() {
        assertThatThrownBy(() -> DisksOption.parse("/d,/disks/x,ext4,1G")).hasMessageContaining("\"/disks/x\"");
    }

    @Test
    void sixteenDisksAreTheMost() throws DkvmException {
        assertThat(DisksOption.parse(disks(16))).hasSize(16);
        assertThatThrownBy(() -> DisksOption.parse(disks(17))).hasMessageContaining("has 17 disks");
    }

    private static String disks(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> "/d" + i + ",/x" + i + ",ext4,1G")
                .collect(Collectors.joining(";"));
    }

    @Test
    void theLastOptionCounts() throws DkvmException {
        assertThat(Options.disks(List.of("DKVM_DISKS=bad", "DKVM_DISKS=/d,/x,ext4,1G")))
                .hasSize(1);
        assertThat(Options.disks(List.of("DKVM_DISKS=/d,/x,ext4,1G", "DKVM_DISKS=")))
                .isEmpty();
    }
}
