package app.groschen.bindings

import app.groschen.view.PillState
import app.groschen.view.Touch
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import java.io.File

/** A long night through the bindings, without a network: what crosses between Kotlin and the core is given back, and all of it arrives in the end. */
class ManyPaymentsTest {
    // In memory where there is such a folder: the disk is not what is looked at.
    @get:Rule
    val folder = TemporaryFolder(File("/dev/shm").takeIf { it.canWrite() })

    @Test
    fun `ten thousand payments leave no memory behind and arrive`() {
        Festival(folder.root, listOf(Sample.BAR)).use { festival ->
            TestPhone(folder.newFolder()).use { phone ->
                phone.become(festival, Sample.BAR, Sample.BAR_CREW)
                phone.allSent()
                phone.losesItsNetwork(festival)
                val before = System.nanoTime()
                phone.pay(WARM_UP)
                val early = Memory.now()
                phone.pay(PAYMENTS - WARM_UP)
                val late = Memory.now()
                println("$PAYMENTS payments in ${(System.nanoTime() - before) / 1_000_000} ms; $early after $WARM_UP, $late after all")
                // What stays is the journal's entries that are not sent, well below a kilobyte each. A view that was not given back would be some 10 kB,
                // and there are several for each payment.
                assertTrue("Kotlin kept something: $early, then $late", late.javaKb - early.javaKb < GROWTH_MAX_KB)
                assertTrue("the core kept something: $early, then $late", late.nativeKb - early.nativeKb < GROWTH_MAX_KB)
                festival.cable.plug()
                phone.terminal.networkIsBack()
                phone.watcher.await("all of them to arrive", patienceMs = 120_000) { it.frame.pill.state == PillState.ONLINE }
            }
            festival.stopAndAudit()
        }
    }

    /** A cup comes back, and the guest is paid for it: as durable as any payment, and never refused. */
    private fun TestPhone.pay(payments: Int) = repeat(payments) {
        val before = watcher.doneCount(CUP_CENTS)
        terminal.touch(Touch.Tile(Sample.CUP))
        band(Sample.GUEST).use { hold(it) }
        watcher.awaitDone(CUP_CENTS, before)
    }

    /** What is in use on Java's heap, and what the process has besides: the core's memory, and the machine's own. */
    private data class Memory(val javaKb: Long, val nativeKb: Long) {
        companion object {
            fun now() = Memory(calmHeapKb(), besidesTheHeapKb())

            /** JNA sweeps up behind the collector, by a thread of its own: the heap is calm when it has stopped falling for a while. */
            private fun calmHeapKb(): Long {
                var usedKb = Long.MAX_VALUE
                var calm = 0
                repeat(ROUNDS_MAX) {
                    System.gc()
                    Thread.sleep(200)
                    val before = usedKb
                    val machine = Runtime.getRuntime()
                    usedKb = (machine.totalMemory() - machine.freeMemory()) / 1_024
                    calm = if (before - usedKb < CALM_KB) calm + 1 else 0
                    if (calm == CALM_ROUNDS) return usedKb
                }
                return usedKb
            }

            /** Java's heap lies in the lowest 32 GB, where references fit into 32 bits; libraries and what they allocate lie far above. */
            private fun besidesTheHeapKb(): Long {
                var isCounted = false
                return File("/proc/self/smaps").useLines { lines ->
                    lines.sumOf { line ->
                        MAPPING.find(line)?.let { isCounted = it.groupValues[1].toULong(16) > HEAP_END }
                        if (isCounted && line.startsWith("Rss:")) line.filter(Char::isDigit).toLong() else 0L
                    }
                }
            }

            private const val ROUNDS_MAX = 150
            private const val CALM_ROUNDS = 5
            private const val CALM_KB = 256
            private val MAPPING = Regex("^([0-9a-f]+)-[0-9a-f]+ ")
            private const val HEAP_END = 0x8_0000_0000uL
        }
    }

    private companion object {
        const val PAYMENTS = 10_000
        const val WARM_UP = 4_000
        const val CUP_CENTS = 200L
        const val GROWTH_MAX_KB = 24 * 1_024L
    }
}
