package app.groschen.till.kiosk

import android.app.admin.DeviceAdminReceiver

/** What makes the app able to be a device's owner; it has nothing to say itself. */
class TillAdmin : DeviceAdminReceiver()
