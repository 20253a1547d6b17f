package app.groschen.bindings

import app.groschen.core.HoldOutcome
import app.groschen.view.Method
import app.groschen.view.Page
import app.groschen.view.Place
import app.groschen.view.Touch
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder

/** Wristbands with money on their chips, simulated, every frame through Kotlin; their keys in a Keystore. */
class PurseTest {
    @get:Rule
    val folder = TemporaryFolder()

    @Test
    fun `a purse is filled and pays without a network, and a tap that was torn is finished by the same wristband`() {
        Festival(folder.root, listOf(Sample.DESK, Sample.BAR)).use { festival ->
            val guest = purse(0u)
            TestPhone(folder.newFolder()).use { desk ->
                desk.become(festival, Sample.DESK, Sample.DESK_CREW)
                desk.terminal.takePurseKeys()
                desk.terminal.touch(Touch.Open(Place.TOP_UP))
                desk.terminal.touch(Touch.Preset(20_000))
                desk.terminal.touch(Touch.TopUp(Method.CASH))
                desk.watcher.await("the top-up to wait for its wristband") { (it.page as? Page.TopUp)?.v1?.open?.amount == 20_000L }
                assertEquals(HoldOutcome.ANSWERED, desk.hold(guest))
                desk.watcher.await("the purse to be filled") { done(it)?.left == 20_000L }
                desk.allSent()
            }
            TestPhone(folder.newFolder()).use { bar ->
                bar.become(festival, Sample.BAR, Sample.BAR_CREW)
                bar.terminal.takePurseKeys()
                bar.allSent()
                bar.losesItsNetwork(festival)
                bar.fill(1)
                bar.hold(guest)
                bar.watcher.await("the beer to be paid") { done(it)?.left == 19_350L }
                val frames = guest.frames()
                // The wristband leaves at each frame of a payment; the same one finishes or says that nothing happened.
                var left = 19_350L
                for (frame in 0 until frames) {
                    bar.fill(1)
                    bar.hold(guest, leavesAfter = frame)
                    left -= Sample.PILS_PRICE
                    if (left < Sample.PILS_PRICE) break
                    var tries = 0
                    while (bar.watcher.newest { done(it)?.left } != left) {
                        assertTrue("frame $frame: nothing is paid after $tries holds: ${bar.terminal.view()}", tries++ < 4)
                        bar.hold(guest)
                    }
                    bar.terminal.touch(Touch.Dismiss)
                }
                festival.cable.plug()
                bar.terminal.networkIsBack()
                bar.allSent()
            }
            festival.stopAndAudit()
        }
    }
}
