import Foundation
import Testing

@testable import Imaging

private let hasFFmpeg = (try? FFmpeg()) != nil

/// A frame of one colour that brightens with `index`, and a dark square that moves.
private func frame(_ index: Int, width: Int = 64, height: Int = 48) throws -> Picture {
  var picture = try Picture(
    width: width, height: height,
    color: Color(red: 200, green: UInt8(40 + 8 * index), blue: 60))
  picture.fill(x: 2 * index, y: 8, width: 8, height: 8, color: .black)
  return picture
}

private func mean(_ picture: Picture) -> [Double] {
  (0..<3).map { channel in
    let values = stride(from: channel, to: picture.bytes.count, by: picture.channels)
    return values.reduce(0.0) { $0 + Double(picture.bytes[$1]) }
      / Double(picture.width * picture.height)
  }
}

private func frames(of reader: VideoReader) async throws -> [Picture] {
  var result: [Picture] = []
  for try await picture in reader { result.append(picture) }
  return result
}

private func write(
  _ count: Int, to path: String, width: Int = 64, height: Int = 48,
  settings: VideoSettings = .init(rate: 12)
) async throws {
  let writer = try VideoWriter(to: path, settings: settings)
  for index in 0..<count { try await writer.append(frame(index, width: width, height: height)) }
  try await writer.finish()
}

@Suite(.enabled(if: hasFFmpeg)) struct VideoTests {
  static let texts = [
    PictureText(keyword: "comment", text: "a whale; ein Wal, 鯨 = 'x' \"y\" \\ %d\nnext"),
    PictureText(keyword: "reverie", text: #"{"prompt":"a whale","seed":7}"#),
  ]

  @Test("What is written comes back frame by frame", arguments: [VideoFormat.mp4, .webm, .gif])
  func roundTrip(format: VideoFormat) async throws {
    try await withFolder { folder in
      let path = "\(folder)/a.\(format)"
      try await write(20, to: path, settings: VideoSettings(rate: 12, texts: Self.texts))
      #expect(try names(in: folder) == ["a.\(format)"])
      let reader = try await VideoReader(path)
      #expect(reader.info.width == 64 && reader.info.height == 48 && reader.info.frames == 20)
      // GIF counts in hundredths of a second.
      #expect(abs((reader.info.rate ?? 0) - 12) < 0.2)
      #expect(abs((reader.info.duration ?? 0) - 20 / 12) < 0.05)
      #expect(reader.info.tags["comment"] == Self.texts[0].text)
      #expect(reader.info.tags["reverie"] == (format == .gif ? nil : Self.texts[1].text))
      let read = try await frames(of: reader)
      #expect(read.count == 20)
      for (index, picture) in read.enumerated() {
        let wanted = mean(try frame(index))
        // Lossy coding and 4:2:0 at the square's edges; a wrong colour matrix is off by 8 and more.
        for (a, b) in zip(mean(picture), wanted) { #expect(abs(a - b) < 4, "frame \(index)") }
      }
    }
  }

  @Test("An animated WebP has all frames and texts")
  func animatedWebP() async throws {
    try await withFolder { folder in
      let path = "\(folder)/a.webp"
      try await write(20, to: path, settings: VideoSettings(rate: 12, texts: Self.texts))
      #expect(try PictureMetadata.read(from: path) == Self.texts)
      let data = try Data(contentsOf: URL(fileURLWithPath: path))
      data.withUnsafeBytes { raw in
        let chunks = WebPContainer.chunks(of: raw.bindMemory(to: UInt8.self))
        #expect(chunks.count { $0.name == "ANMF" } == 20)
        #expect(
          chunks.first?.name == "VP8X" && chunks.first?.payload.first.map { $0 & 0x0a } == 0x0a)
        #expect(
          chunks.first { $0.name == "ANIM" }?.payload.suffix(2).elementsEqual([0, 0]) == true)
      }
    }
  }

  @Test("The same frames give the same bytes", arguments: VideoFormat.allCases)
  func deterministic(format: VideoFormat) async throws {
    try await withFolder { folder in
      let settings = VideoSettings(rate: 12, texts: Self.texts)
      var files: [Data] = []
      for name in ["a", "b"] {
        let path = "\(folder)/\(name).\(format)"
        try await write(8, to: path, settings: settings)
        files.append(try Data(contentsOf: URL(fileURLWithPath: path)))
      }
      #expect(files[0] == files[1])
    }
  }

  @Test("An odd size becomes even, with the last line again, and stays in GIF")
  func oddSizes() async throws {
    try await withFolder { folder in
      for (name, width, height) in [("a.mp4", 36, 24), ("a.webm", 36, 24), ("a.gif", 35, 23)] {
        try await write(3, to: "\(folder)/\(name)", width: 35, height: 23)
        let reader = try await VideoReader("\(folder)/\(name)")
        #expect(reader.width == width && reader.height == height)
        let last = try #require(try await frames(of: reader).last)
        let (edge, inside) = (last[width - 1, height - 1], last[32, 20])
        #expect(abs(Int(edge.red) - Int(inside.red)) < 6, "\(name)")
      }
    }
  }

  @Test("Interpolation fills in frames, and needs 16 pixels a side")
  func interpolates() async throws {
    try await withFolder { folder in
      let settings = VideoSettings(rate: 10, interpolatedRate: 30)
      try await write(20, to: "\(folder)/a.mp4", settings: settings)
      let info = try await VideoReader("\(folder)/a.mp4").info
      #expect(info.rate == 30 && (50...60).contains(info.frames))
      await #expect(throws: ImagingError.self) {
        try await write(2, to: "\(folder)/b.mp4", width: 8, height: 8, settings: settings)
      }
      #expect(try names(in: folder) == ["a.mp4"])
    }
  }

  @Test("A range of frames and another size are what was asked for")
  func rangeAndSize() async throws {
    try await withFolder { folder in
      try await write(20, to: "\(folder)/a.mp4")
      let reader = try await VideoReader("\(folder)/a.mp4", frames: 5..<9, size: (32, 32))
      #expect(reader.info.width == 64 && reader.width == 32)
      for _ in 0..<2 {
        let read = try await frames(of: reader)
        #expect(read.map(\.width) == [32, 32, 32, 32] && read.map(\.height) == [32, 32, 32, 32])
        #expect(abs(mean(read[0])[1] - mean(try frame(5))[1]) < 4)
      }
      #expect(try await frames(of: VideoReader("\(folder)/a.mp4", frames: 3..<3)).isEmpty)
      #expect(try await frames(of: VideoReader("\(folder)/a.mp4", frames: 18..<99)).count == 2)
      var iterator = reader.makeAsyncIterator()
      #expect(try await iterator.next() != nil)
    }
  }

  @Test("An existing file is never overwritten, whether it was there before or came meanwhile")
  func neverOverwrites() async throws {
    try await withFolder { folder in
      let path = "\(folder)/a.gif"
      let writer = try VideoWriter(to: path)
      try await writer.append(frame(0))
      try Data("mine".utf8).write(to: URL(fileURLWithPath: path))
      await #expect(throws: ImagingError.exists(path: path)) { try await writer.finish() }
      #expect(throws: ImagingError.exists(path: path)) { try VideoWriter(to: path) }
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data("mine".utf8))
      #expect(try names(in: folder) == ["a.gif"])
    }
  }

  @Test("A frame of another size is refused and the video goes on")
  func oneSize() async throws {
    try await withFolder { folder in
      let writer = try VideoWriter(to: "\(folder)/a.mp4")
      try await writer.append(frame(0))
      await #expect(throws: ImagingError.self) { try await writer.append(frame(1, width: 62)) }
      try await writer.append(frame(1))
      try await writer.finish()
      #expect(try await VideoReader("\(folder)/a.mp4").info.frames == 2)
      await #expect(throws: ImagingError.self) { try await writer.append(frame(2)) }
      await #expect(throws: ImagingError.self) { try await writer.finish() }
    }
  }

  @Test("A cancelled, forgotten, or empty video leaves nothing behind")
  func leavesNothing() async throws {
    try await withFolder { folder in
      let cancelled = try VideoWriter(to: "\(folder)/a.mp4")
      try await cancelled.append(frame(0))
      await cancelled.cancel()
      await #expect(throws: ImagingError.self) { try await cancelled.finish() }
      do {
        let forgotten = try VideoWriter(to: "\(folder)/b.mp4")
        try await forgotten.append(frame(0))
      }
      let empty = try VideoWriter(to: "\(folder)/c.mp4")
      await #expect(throws: ImagingError.self) { try await empty.finish() }
      let (appended, told) = AsyncStream.makeStream(of: Int.self)
      let task = Task {
        defer { told.finish() }
        let writer = try VideoWriter(to: "\(folder)/d.webm")
        for index in 0... {
          try await writer.append(frame(index % 20, width: 640, height: 480))
          told.yield(index)
        }
      }
      for await index in appended where index == 4 { break }
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
      #expect(try names(in: folder).isEmpty)
    }
  }

  /// A program in FFmpeg's place.
  private func impostor(_ script: String, in folder: String) throws -> FFmpeg {
    // Written by a shell: a file that this process has open for writing while another test starts
    // a program cannot be run.
    let make =
      "cd \"$0\" && mkdir bin && for f in ffmpeg ffprobe; do printf '#!/bin/sh\\n%s\\n' \"$1\""
      + " >bin/$f && chmod 755 bin/$f; done"
    #expect(try ChildProcess("/bin/sh", ["-c", make, folder, script]).wait() == .exit(0))
    return try FFmpeg(searching: "\(folder)/bin")
  }

  @Test(
    "An FFmpeg that fails or is killed is an error with its words and no broken pipe",
    arguments: [
      ("head -c 100 >&2 </dev/zero; echo '[x @ 0x12] no room' >&2; exit 1", "no room"),
      ("kill -9 $$", "ended by signal 9"), ("exit 0", "it ended early"),
      ("head -c 70000 >/dev/null; yes complaint | head -c 300000 >&2; exit 3", "complaint"),
    ])
  func fails(script: String, words: String) async throws {
    try await withFolder { folder in
      let ffmpeg = try impostor(script, in: folder)
      let writer = try VideoWriter(to: "\(folder)/a.mp4", ffmpeg: ffmpeg)
      do {
        for index in 0..<200 { try await writer.append(frame(index % 20, width: 640, height: 480)) }
        Issue.record("no error")
      } catch ImagingError.unwritable(_, let reason) {
        #expect(reason.contains(words), "\(reason)")
      }
      #expect(try names(in: folder) == ["bin"])
    }
  }

  @Test("Without FFmpeg on the PATH the error says what to install")
  func missing() async throws {
    let error = ImagingError.missingProgram(name: "ffmpeg", package: "ffmpeg")
    for path in ["", ".", "relative/bin", "/nowhere"] {
      #expect(throws: error) { try FFmpeg(searching: path) }
    }
    #expect("\(error)".hasSuffix("apt-get install ffmpeg"))
  }

  @Test("Bad settings are refused before anything is written")
  func badSettings() throws {
    try withFolder { folder in
      for settings in [
        VideoSettings(rate: 0), VideoSettings(rate: .nan), VideoSettings(rate: 1000),
        VideoSettings(interpolatedRate: -1),
        VideoSettings(texts: [PictureText(keyword: "a", text: "b\u{0}")]),
        VideoSettings(texts: [PictureText(keyword: "a=b", text: "c")]),
        VideoSettings(texts: [
          PictureText(keyword: "a", text: String(repeating: "x", count: 200_000))
        ]),
      ] {
        #expect(throws: ImagingError.self) {
          try VideoWriter(to: "\(folder)/a.mp4", settings: settings)
        }
      }
      #expect(throws: ImagingError.self) { try VideoWriter(to: "\(folder)/a.avi") }
      #expect(throws: ImagingError.self) { try VideoWriter(to: "\(folder)/none/a.mp4") }
    }
  }
}

@Suite(.enabled(if: hasFFmpeg)) struct HostileVideoTests {
  @Test("File names are never options or protocols")
  func names() async throws {
    try await withFolder { folder in
      for name in ["-f.gif", "concat:a|b.gif", "http:x.gif", "%03d.gif"] {
        let path = "\(folder)/\(name)"
        try await write(2, to: path)
        #expect(try await frames(of: VideoReader(path)).count == 2, "\(name)")
      }
    }
  }

  @Test("Playlists that point to other files are not followed")
  func playlists() async throws {
    try await withFolder { folder in
      try await write(2, to: "\(folder)/a.gif")
      for (name, text) in [
        ("a.m3u8", "#EXTM3U\n#EXTINF:1,\na.gif\n#EXT-X-ENDLIST\n"),
        ("a.txt", "ffconcat version 1.0\nfile a.gif\n"),
        ("a.mp4", "not a video at all"), ("b.mp4", ""),
      ] {
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
        await #expect(throws: ImagingError.self, "\(name)") {
          try await VideoReader("\(folder)/\(name)")
        }
      }
      await #expect(throws: ImagingError.self) { try await VideoReader("\(folder)/none.mp4") }
      await #expect(throws: ImagingError.self) { try await VideoReader("/dev/zero") }
    }
  }

  @Test("Too many pixels are refused, those of a changed size too")
  func tooLarge() async throws {
    try await withFolder { folder in
      try await write(2, to: "\(folder)/a.gif")
      await #expect(throws: ImagingError.self) {
        try await VideoReader("\(folder)/a.gif", limits: ReadingLimits(pixels: 64 * 48 - 1))
      }
      await #expect(throws: ImagingError.self) {
        try await VideoReader("\(folder)/a.gif", size: (100_000, 100_000))
      }
      await #expect(throws: ImagingError.self) {
        try await VideoReader("\(folder)/a.gif", size: (0, 5))
      }
    }
  }

  @Test(
    "A video cut off or changed throws or gives whole frames", arguments: [VideoFormat.mp4, .gif])
  func damaged(format: VideoFormat) async throws {
    try await withFolder { folder in
      try await write(4, to: "\(folder)/a.\(format)")
      let whole = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/a.\(format)"))
      for step in 1..<8 {
        var changed = whole
        changed[whole.count * step / 8] ^= 0xff
        for (kind, data) in [("cut", whole.prefix(whole.count * step / 8)), ("changed", changed)] {
          let path = "\(folder)/\(kind)\(step).\(format)"
          try data.write(to: URL(fileURLWithPath: path))
          do {
            let read = try await frames(of: VideoReader(path))
            #expect(read.count <= 4 && read.allSatisfy { $0.width == read[0].width })
          } catch is ImagingError {
          }
        }
      }
    }
  }
}

@Suite struct FrameFolderTests {
  @Test("A folder gives its pictures in natural order and no other files")
  func order() async throws {
    try await withFolder { folder in
      for (index, name) in ["2.png", "10.webp", "9.jpg", "010b.png"].enumerated() {
        try frame(index, width: 20, height: 20).write(to: "\(folder)/\(name)")
      }
      try Data("x".utf8).write(to: URL(fileURLWithPath: "\(folder)/notes.txt"))
      try Data("x".utf8).write(to: URL(fileURLWithPath: "\(folder)/.hidden.png"))
      let reader = try await VideoReader(folder)
      #expect(reader.info.frames == 4 && reader.width == 20 && reader.info.rate == nil)
      let greens = try await frames(of: reader).map { Int($0[19, 19].green) }
      for (green, index) in zip(greens, [0, 2, 1, 3]) { #expect(abs(green - 40 - 8 * index) < 4) }
      let part = try await frames(of: VideoReader(folder, frames: 1..<3, size: (10, 5)))
      #expect(part.map(\.width) == [10, 10] && part.map(\.height) == [5, 5])
    }
  }

  @Test("Frames of different sizes need a size; a folder needs frames")
  func sizes() async throws {
    try await withFolder { folder in
      await #expect(throws: ImagingError.self) { try await VideoReader(folder) }
      try frame(0, width: 20, height: 20).write(to: "\(folder)/1.png")
      try frame(1, width: 30, height: 20).write(to: "\(folder)/2.png")
      await #expect(throws: ImagingError.self) { try await frames(of: VideoReader(folder)) }
      let stretched = try await frames(of: VideoReader(folder, size: (20, 20)))
      #expect(stretched.map(\.width) == [20, 20])
    }
  }

  @Test(
    "Names are compared by their numbers",
    arguments: [
      ("a2", "a10"), ("2", "10"), ("a", "b"), ("frame_9.png", "frame_0010.png"), ("1", "1a"),
      ("01", "1"), ("a1b9", "a1b10"), ("99999999999999999999998", "99999999999999999999999"),
    ])
  func natural(first: String, second: String) {
    #expect(naturallyPrecedes(first, second) && !naturallyPrecedes(second, first))
  }
}
