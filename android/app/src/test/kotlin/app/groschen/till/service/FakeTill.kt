package app.groschen.till.service

import android.app.Application

internal class FakeWork : BackgroundWork {
    override var unsent = 0
    override var shiftOpen = false
    var reachable = true

    override fun send(): Boolean {
        if (reachable) unsent = 0
        return unsent == 0
    }
}

internal class FakeTill : Application(), HasBackgroundWork {
    override val backgroundWork = FakeWork()
}
