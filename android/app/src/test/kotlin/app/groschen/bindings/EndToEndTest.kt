package app.groschen.bindings

import app.groschen.core.Signal
import app.groschen.view.Notice
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder

/** Two phones, the real server, a cable between them that is pulled: everything that was shown as paid is in the books, once, and signed. */
class EndToEndTest {
    @get:Rule
    val folder = TemporaryFolder()

    @Test
    fun `what is sold online, offline and after a crash is booked once and signed`() {
        // Once among the other tests, many times in a row in the long run.
        for (round in 1..Integer.getInteger("groschen.rounds", 1)) {
            println("round $round")
            evening()
        }
    }

    private fun evening() {
        Festival(folder.newFolder(), listOf(Sample.DESK, Sample.BAR)).use { festival ->
            TestPhone(folder.newFolder()).use { desk ->
                desk.become(festival, Sample.DESK, Sample.DESK_CREW)
                desk.topUp(5_000)
                desk.allSent()
            }
            val bar = folder.newFolder()
            val keystore = SoftwareKeystore()
            val phone = TestPhone(bar, keystore)
            phone.become(festival, Sample.BAR, Sample.BAR_CREW)
            phone.sell(1, left = 4_350)
            phone.allSent()

            phone.losesItsNetwork(festival)
            phone.sell(2, left = 3_050)
            assertTrue(phone.terminal.view().frame.pill.unsent > 0)
            phone.fill(1)
            // The cart is stored a moment after the touch.
            Thread.sleep(1_500)
            phone.kill()

            TestPhone(bar, keystore).use { again ->
                // It comes back in the same cart, and says that it was not booked.
                val back = again.watcher.await("the cart to be back") { total(it) == Sample.PILS_PRICE }
                assertEquals(false, (back.notice as? Notice.LastCart)?.booked)
                again.hold(band(Sample.GUEST))
                // What the wristband has is not known any more; the limits for that allow one beer.
                again.watcher.await("the beer to be paid") { done(it)?.total == Sample.PILS_PRICE }
                festival.cable.plug()
                again.terminal.networkIsBack()
                again.allSent()
                again.sell(1, left = 1_750)
                again.allSent()
                assertTrue(again.effects.heard.contains(Signal.DONE))
            }
            // Four sales and one top-up.
            assertEquals(5 + Sample.SHIFTS, festival.signedReceipts(5 + Sample.SHIFTS))
            festival.stopAndAudit()
        }
    }
}
