import ArgumentParser
import Foundation
import Painting
import Torch

/// How it is computed.
package struct ExecutionOptions: ParsableArguments {
  @Option(help: "Where to compute: cpu, cuda or cuda:1 (default: a GPU if there is one).")
  package var device: String?

  @Option(help: "Threads of one operation (default: OMP_NUM_THREADS, else the physical cores).")
  package var threads: Int?

  @Option(
    help: ArgumentHelp("A model pack's folder (default: the one that ships).", valueName: "folder"))
  package var pack: String?

  package init() {}

  package func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads must be from 1 to 1024, not \(threads).")
    }
    if let device {
      guard Device(device) != nil else {
        throw ValidationError("'\(device)' is no device. Use cpu, cuda or cuda:N.")
      }
    }
  }

  /// The device asked for, or the best.
  package func resolvedDevice() throws -> Device {
    guard let text = device, let device = Device(text) else { return .best }
    if device == .cpu { return device }
    let available = Device.available
    guard available.contains(device) else {
      throw ValidationError(
        "There is no \(device) here; there is: \(available.map(\.description).joined(separator: ", "))."
      )
    }
    return device
  }

  /// The device asked for, or all GPUs, or the CPU where there is none.
  package func resolvedDevices() throws -> [Device] {
    if device != nil { return [try resolvedDevice()] }
    let cards = Device.available.filter { $0 != .cpu }
    return cards.isEmpty ? [.cpu] : cards
  }

  /// The number asked for, or what suits the machine.
  package var resolvedThreads: Int {
    let wish = ProcessInfo.processInfo.environment["OMP_NUM_THREADS"].flatMap { Int($0) }
    return threads ?? wish.flatMap { (1...1024).contains($0) ? $0 : nil } ?? Processor.cores
  }

  /// The pack asked for, or the one that ships.
  package func openPack() throws -> Pack {
    try Pack(
      folder: pack.map { URL(filePath: $0, directoryHint: .isDirectory) } ?? Pack.embedded)
  }

  /// An engine as the options want it.
  package func engine(_ pack: Pack, device: Device, threads: Int? = nil) throws -> Engine {
    Engine(
      pack: pack, cache: .standard(), device: device, threads: threads ?? resolvedThreads)
  }
}
