import Foundation

/// Facts about the processor.
public enum Processor {
  /// Physical cores that this process may use: what libtorch's threads are best set to. Two threads
  /// of one core share its vector units and only get in each other's way.
  public static let cores: Int = {
    let usable = max(1, ProcessInfo.processInfo.activeProcessorCount)
    guard let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8) else {
      return usable
    }
    return min(usable, physicalCores(text) ?? usable)
  }()

  /// Bytes of memory that the machine has.
  public static let memory = Int(clamping: ProcessInfo.processInfo.physicalMemory)

  /// What decides the last digits that it computes: its maker, and its widest instructions.
  public static let kind: String = {
    let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    return kind(text)
  }()

  /// The kind that a text such as /proc/cpuinfo tells of; the architecture alone if it does not say.
  static func kind(_ text: String) -> String {
    func value(_ name: String) -> Substring? {
      let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
      return line?.split(separator: ":", maxSplits: 1).dropFirst().first
    }
    let flags = Set((value("flags") ?? "").split(separator: " "))
    let widest = ["avx2", "avx512f", "avx512_bf16", "amx_bf16"].last {
      flags.contains(Substring($0))
    }
    #if arch(arm64)
      let architecture = "aarch64"
    #else
      let architecture = "x86_64"
    #endif
    let maker = value("vendor_id")?.trimmingCharacters(in: .whitespaces)
    return [architecture, maker, widest].compactMap(\.self).joined(separator: "-")
  }

  /// Different pairs of package and core in a text such as /proc/cpuinfo; nil if it does not say.
  static func physicalCores(_ text: String) -> Int? {
    var pairs: Set<[String]> = []
    var package = ""
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1)
        .map { $0.trimmingCharacters(in: .whitespaces) }
      guard parts.count == 2 else { continue }
      if parts[0] == "physical id" { package = parts[1] }
      if parts[0] == "core id" { pairs.insert([package, parts[1]]) }
    }
    return pairs.isEmpty ? nil : pairs.count
  }
}
