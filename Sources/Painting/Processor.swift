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
