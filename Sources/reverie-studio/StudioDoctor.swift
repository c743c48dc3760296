import ArgumentParser
import Commands
import Foundation
import Studio

/// `reverie-studio doctor`: what `reverie doctor` says of the studio.
struct StudioDoctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Looks whether the studio is in place; reverie doctor starts it.",
    discussion: "Findings are printed as JSON, one object a line.",
    shouldDisplay: false)

  @Option(help: ArgumentHelp("The studio's folder.", valueName: "folder"))
  var data: String?

  @Option(help: "The studio's port.")
  var port: UInt16 = 7860

  func run() throws {
    let folder =
      data.map { StudioFolder(URL(filePath: $0, directoryHint: .isDirectory)) } ?? .standard()
    let findings = [
      Finding.disk("studio's disk", folder.url, next: "keep the studio elsewhere with --data"),
      Self.studio(folder), Self.port(port),
    ]
    for finding in findings { Console.result(finding.json) }
  }

  static func studio(_ folder: StudioFolder) -> Finding {
    guard FileManager.default.fileExists(atPath: folder.database.path) else {
      return Finding(
        subject: "studio", state: .ok, text: "\(folder.url.path) will be made when it is needed.")
    }
    do {
      _ = try folder.lock()
      return Finding(subject: "studio", state: .ok, text: "\(folder.url.path), not open.")
    } catch StudioError.busy {
      return Finding(subject: "studio", state: .ok, text: "\(folder.url.path), open just now.")
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
