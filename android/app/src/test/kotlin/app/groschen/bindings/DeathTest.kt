package app.groschen.bindings

import app.groschen.view.Notice
import app.groschen.view.PillState
import app.groschen.view.Touch
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import kotlin.concurrent.thread

/** The process dies while a guest pays, sooner and later in the payment. */
class DeathTest {
    @get:Rule
    val folder = TemporaryFolder()

    @Test
    fun `wherever the process dies in a payment it comes back and says booked or NOT booked, and the books agree`() {
        Festival(folder.root, listOf(Sample.DESK, Sample.BAR)).use { festival ->
            TestPhone(folder.newFolder()).use { desk ->
                desk.become(festival, Sample.DESK, Sample.DESK_CREW)
                desk.topUp(10_000)
                desk.topUp(10_000)
                desk.allSent()
            }
            val bar = folder.newFolder()
            val keystore = SoftwareKeystore()
            var phone = TestPhone(bar, keystore)
            phone.become(festival, Sample.BAR, Sample.BAR_CREW)
            phone.allSent()
            var booked = 0
            var saidNotBooked = 0
            for (delayMs in DELAYS_MS) {
                phone.fill(1)
                // The cart is stored a moment after the touch; without it there would be nothing to come back to.
                Thread.sleep(CART_STORED_MS)
                val dying = phone
                val holding = thread { runCatching { dying.hold(band(Sample.GUEST)) } }
                Thread.sleep(delayMs)
                dying.kill()
                holding.join()
                phone = TestPhone(bar, keystore)
                val back = phone.watcher.await("what became of the last cart, after $delayMs ms") { it.notice is Notice.LastCart }
                if ((back.notice as Notice.LastCart).booked) {
                    booked++
                    phone.terminal.touch(Touch.Dismiss)
                } else {
                    saidNotBooked++
                    assertEquals(Sample.PILS_PRICE, total(back))
                    phone.watcher.await("the server") { it.frame.pill.state == PillState.ONLINE }
                    phone.hold(band(Sample.GUEST))
                    phone.watcher.await("the beer to be paid") { done(it)?.total == Sample.PILS_PRICE }
                    booked++
                }
                phone.allSent()
            }
            phone.close()
            println("of ${DELAYS_MS.size} deaths $saidNotBooked were before the booking")
            assertTrue("no death came before a booking, so none was tested", saidNotBooked > 0)
            assertTrue("no death came after a booking, so none was tested", saidNotBooked < DELAYS_MS.size)
            assertEquals(booked + 2 + Sample.SHIFTS, festival.signedReceipts(booked + 2 + Sample.SHIFTS))
            festival.stopAndAudit()
        }
    }

    private companion object {
        val DELAYS_MS = listOf(0L, 1, 2, 3, 5, 8, 12, 20, 40, 400)
        const val CART_STORED_MS = 1_200L
    }
}
