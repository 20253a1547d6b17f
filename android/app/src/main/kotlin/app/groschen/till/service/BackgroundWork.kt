package app.groschen.till.service

import android.content.Context

/** What the core still has to do when nobody looks. The core decides it; services only keep the process alive for it. */
interface BackgroundWork {
    /** Orders that no server has acknowledged. */
    val unsent: Int
    val shiftOpen: Boolean

    /** Tries once to send what is unsent; true if nothing is left. Blocks, and ends early when the thread is interrupted. */
    fun send(): Boolean
}

/** The application's class, which has the core: Android starts services and receivers without any window. */
interface HasBackgroundWork {
    val backgroundWork: BackgroundWork
}

internal val Context.backgroundWork: BackgroundWork
    get() = (applicationContext as HasBackgroundWork).backgroundWork

/** Whether the process must be kept. */
internal val BackgroundWork.isNeeded: Boolean
    get() = shiftOpen || unsent > 0
