import ArgumentParser
import Commands
import EmbeddedPack
import Foundation
import Imaging
import Library
import Painting
import Torch
import Weights

/// `reverie doctor`: looks whether everything is in place, and says what to do where it is not.
struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Looks whether everything is in place.",
    discussion: """
      Each line is ok, a note, or bad, with what to do about it. The exit code is 1 when something is \
      bad.
      """)

  @Flag(help: "Print the findings as JSON, one object a line.")
  var json = false

  @Option(help: ArgumentHelp("The studio's folder.", valueName: "folder"))
  var data: String?

  @Option(help: "The studio's port.")
  var port: UInt16 = 7860

  func run() throws {
    let findings =
      [Self.libtorch()] + Self.devices() + [Self.memory(), Self.disk(), Self.pack()]
      + Self.models() + [Self.ffmpeg()]
      + Self.studio((data.map { ["--data", $0] } ?? []) + ["--port", "\(port)"])
    for finding in findings { Console.result(json ? finding.json : line(finding)) }
    if findings.contains(where: { $0.state == .bad }) { throw ExitCode.failure }
  }

  private func line(_ finding: Finding) -> String {
    ParameterHelp.row(
      (
        "\(finding.state.rawValue)  \(finding.subject)",
        finding.text + (finding.next.map { " " + $0 } ?? "")
      ))
  }

  // MARK: What is looked at

  static func disk() -> Finding {
    let folder = ProcessInfo.processInfo.environment["REVERIE_OUTPUTS"] ?? ""
    return Finding.disk(
      "disk", URL(filePath: folder.isEmpty ? "outputs" : folder, directoryHint: .isDirectory),
      next: "have pictures written elsewhere with --outdir")
  }

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
    guard let bytes = Memory.free else {
      return Finding(subject: "memory", state: .note, text: "the system does not tell.")
    }
    let free = Double(bytes) / 1_073_741_824
    let isEnough = free >= 1
    return Finding(
      subject: "memory", state: isEnough ? .ok : .bad,
      text: String(format: "%.1f GB free.", free),
      next: isEnough ? nil : "The pack needs about 1 GB. End other programs.")
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

  /// What the studio's own program finds.
  static func studio(_ arguments: [String]) -> [Finding] {
    func finding(_ state: Finding.State, _ text: String, _ next: String) -> [Finding] {
      [Finding(subject: "studio", state: state, text: text, next: next)]
    }
    guard let program = SiblingProgram.studio.url else {
      return finding(.note, "not built yet.", "reverie serve builds it, the first time.")
    }
    let process = Process()
    let output = Pipe()
    process.executableURL = program
    process.arguments = ["doctor"] + arguments
    process.standardOutput = output
    do {
      try process.run()
      let text = output.fileHandleForReading.readDataToEndOfFile()
      process.waitUntilExit()
      let lines = text.split(separator: UInt8(ascii: "\n"))
      let findings = try lines.map { try JSONDecoder().decode(Finding.self, from: $0) }
      if process.terminationStatus == 0, !findings.isEmpty { return findings }
    } catch {}
    return finding(
      .bad, "\(program.path) does not run.", "Build it again: rm \(program.path); reverie serve")
  }
}
