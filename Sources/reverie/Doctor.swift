import ArgumentParser
import EmbeddedPack
import Foundation
import Imaging
import Library
import Painting
import Studio
import Torch
import Weights

/// `reverie doctor`: looks whether everything is in place, and says what to do where it is not.
struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Looks whether everything is in place.",
    discussion: """
      Each line is ok, a note, or bad, with what to do about it. The exit code is 1 when something is
      bad.
      """)

  @Flag(help: "Print the findings as JSON, one object a line.")
  var json = false

  @Option(help: ArgumentHelp("The studio's folder.", valueName: "folder"))
  var data: String?

  @Option(help: "The studio's port.")
  var port: UInt16 = 7860

  func run() throws {
    let folder =
      data.map { URL(filePath: $0, directoryHint: .isDirectory) }
      ?? StudioFolder.standard().url
    let findings =
      [Self.libtorch()] + Self.devices() + [Self.memory(), Self.disk(folder), Self.pack()]
      + Self.models() + [Self.ffmpeg(), Self.studio(folder), Self.port(port)]
    for finding in findings { Console.result(json ? finding.json : finding.line) }
    if findings.contains(where: { $0.state == .bad }) { throw ExitCode.failure }
  }

  /// What was found about one thing.
  struct Finding: Encodable, Equatable {
    enum State: String, Encodable { case ok, note, bad }
    let subject: String
    let state: State
    let text: String
    /// What to do about it.
    var next: String?

    var line: String {
      ParameterHelp.row(("\(state.rawValue)  \(subject)", text + (next.map { " " + $0 } ?? "")))
    }

    var json: String {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
  }

  // MARK: What is looked at

  static func libtorch() -> Finding {
    // A small product: a library that is there may still not compute.
    let product = Tensor.ones([2, 3]).matmul(Tensor.ones([3, 2]))
    let isRight = product.floats() == [3, 3, 3, 3]
    return Finding(
      subject: "libtorch", state: isRight ? .ok : .bad,
      text: "version \(Libtorch.version), \(Processor.cores) physical cores.",
      next: isRight ? nil : "It computes wrongly. Fetch it again: rm -r .libtorch; script/bootstrap"
    )
  }

  static func devices() -> [Finding] {
    Device.available.map { device in
      Finding(
        subject: "device \(device)", state: .ok,
        text: "computes in \(device.fastFloat).")
    }
  }

  static func memory() -> Finding {
    guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8),
      let line = text.split(separator: "\n").first(where: { $0.hasPrefix("MemAvailable:") }),
      let kilobytes = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
    else {
      return Finding(subject: "memory", state: .note, text: "the system does not tell.")
    }
    let free = Double(kilobytes) / 1_048_576
    let isEnough = free >= 1
    return Finding(
      subject: "memory", state: isEnough ? .ok : .bad,
      text: String(format: "%.1f GB free.", free),
      next: isEnough ? nil : "The pack needs about 1 GB. End other programs.")
  }

  static func disk(_ folder: URL) -> Finding {
    var place = folder
    while !FileManager.default.fileExists(atPath: place.path), place.path != "/" {
      place = place.deletingLastPathComponent()
    }
    let attributes = try? FileManager.default.attributesOfFileSystem(forPath: place.path)
    guard let bytes = (attributes?[.systemFreeSize] as? NSNumber)?.doubleValue else {
      return Finding(subject: "disk", state: .note, text: "the system does not tell.")
    }
    let free = bytes / Double(1 << 30)
    return Finding(
      subject: "disk", state: free >= 1 ? .ok : free >= 0.2 ? .note : .bad,
      text: String(format: "%.1f GB free for pictures, under %@.", free, place.path),
      next: free >= 1 ? nil : "Free some, or keep the studio elsewhere with --data.")
  }

  static func pack() -> Finding {
    do {
      let pack = try Pack(folder: Pack.embedded)
      for (name, file) in pack.manifest.files.sorted(by: { $0.key < $1.key }) {
        try Checksum.verify(pack.folder.appending(path: name), sha256: file.sha256)
      }
      return Finding(
        subject: "pack", state: .ok,
        text: "\(pack.manifest.id) \(pack.manifest.version), whole.")
    } catch {
      return Finding(subject: "pack", state: .bad, text: "\(error)")
    }
  }

  static func models() -> [Finding] {
    let store = ModelStore.standard()
    let models = store.models()
    guard !models.isEmpty else {
      return [
        Finding(
          subject: "models", state: .note, text: "none beside the pack are installed.",
          next: "Larger ones paint better: reverie models list --known")
      ]
    }
    return models.map { model in
      let sizes = model.record.files.allSatisfy { name, file in
        let path = model.url(name).resolvingSymlinksInPath().path
        let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
        return size == file.size
      }
      return Finding(
        subject: "model \(model.record.id)", state: sizes ? .ok : .bad,
        text: "\(model.record.title).",
        next: sizes
          ? nil : "Its files are not as they were. See: reverie models verify \(model.record.id)")
    }
  }

  static func ffmpeg() -> Finding {
    do {
      let found = try FFmpeg()
      return Finding(subject: "ffmpeg", state: .ok, text: "\(found.ffmpeg).")
    } catch {
      return Finding(
        subject: "ffmpeg", state: .note, text: "films cannot be painted; all else can.",
        next: "\(error)")
    }
  }

  static func studio(_ folder: URL) -> Finding {
    let studio = StudioFolder(folder)
    guard FileManager.default.fileExists(atPath: studio.database.path) else {
      return Finding(
        subject: "studio", state: .ok, text: "\(folder.path) will be made when it is needed.")
    }
    do {
      _ = try studio.lock()
      return Finding(subject: "studio", state: .ok, text: "\(folder.path), not open.")
    } catch StudioError.busy {
      return Finding(subject: "studio", state: .ok, text: "\(folder.path), open just now.")
    } catch {
      return Finding(subject: "studio", state: .bad, text: "\(error)")
    }
  }

  static func port(_ port: UInt16) -> Finding {
    let probe = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(probe) }
    var yes: Int32 = 1
    setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let isFree = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(probe, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    return Finding(
      subject: "port \(port)", state: isFree ? .ok : .note,
      text: isFree ? "free." : "taken, by an open studio or another program.",
      next: isFree ? nil : "Choose another with: reverie serve --port")
  }
}
