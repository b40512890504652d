// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What anchoring costs when one key is simply trusted: the baseline of the gas table.
/// @dev The same words in a ring and the same event, with no set, no signatures and no proof.
contract OwnerPosts {
    event Anchored(uint64 indexed nonce, bytes32 indexed root, uint64 height, uint64 treeSize, uint64 time);

    address private immutable _owner = msg.sender;
    uint64 private _nonce;
    uint64 private _height;
    uint64 private _treeSize;
    uint64 private _time;
    bytes32[1024] private _ring;

    error NotOwner();
    error BadNonce();

    function post(uint64 nonce, uint64 height, uint64 time, uint64 treeSize, bytes32 root) external {
        if (msg.sender != _owner) revert NotOwner();
        if (nonce <= _nonce) revert BadNonce();
        (_nonce, _height, _treeSize, _time) = (nonce, height, treeSize, time);
        _ring[nonce % 1024] = root;
        emit Anchored(nonce, root, height, treeSize, time);
    }
}
