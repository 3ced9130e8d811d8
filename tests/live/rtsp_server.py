"""A real RTSP server on loopback, run by Debian's own Python: /cam0 ... of moving test pictures, H.264, basic auth.

Arguments: port (0 for any), number of streams, width, height, frames a second, user, password (empty: no auth).
Prints its port once it listens.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

LAUNCH = (
    "( videotestsrc is-live=true pattern=ball ! video/x-raw,width={},height={},framerate={}/1 "
    "! x264enc tune=zerolatency speed-preset=ultrafast key-int-max={} bitrate=800 "
    "! rtph264pay name=pay0 pt=96 config-interval=1 )"
)


def locked(server: "GstRtspServer.RTSPServer", user: str, password: str) -> "GstRtspServer.RTSPPermissions":
    auth, token = GstRtspServer.RTSPAuth(), GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "user")
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    server.set_auth(auth)
    permissions = GstRtspServer.RTSPPermissions()
    for what in ("media.factory.access", "media.factory.construct"):
        permissions.add_permission_for_role("user", what, True)
    return permissions


def main(port: str, streams: str, width: str, height: str, fps: str, user: str, password: str) -> None:
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    permissions = locked(server, user, password) if password else None
    for number in range(int(streams)):
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(LAUNCH.format(width, height, fps, fps))
        factory.set_shared(True)  # one encoder, however many look
        if permissions is not None:
            factory.set_permissions(permissions)
        server.get_mount_points().add_factory(f"/cam{number}", factory)
    server.attach(None)
    sys.stdout.write(f"{server.get_bound_port()}\n")
    sys.stdout.flush()
    GLib.MainLoop().run()


main(*sys.argv[1:])
